/**
 * A network in training: its state on the device, the gradient summed for its next update, and the programs of both. Updates are
 * functional: an iteration's work stands beside the state, and `commit` puts it in its place or `drop` forgets it.
 */
import type { DeviceTensor, Engine, Feed, Program } from '../engine/engine.ts';
import { byChunk, chunkName, type ParameterLayout } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import { type ArraySource, type StoredArrays, sliceSize, sourceOf, storedSlices } from '../weights/array-source.ts';
import { gradientSumGraph } from './gradient-sum-graph.ts';
import type { Origin } from './origin.ts';
import {
  adamBuffers,
  averageNames,
  targetName,
  type UpdateSettings,
  updateFeeds,
  updateGraph,
} from './update-graph.ts';

/** A buffer, one tensor per chunk of the layout. */
export type Chunks = readonly DeviceTensor[];

export interface NetworkOptions {
  /** Names its state file and its curves. */
  readonly name: string;
  /** Of what is trained. */
  readonly layout: ParameterLayout;
  /** Where training starts: flat, as in the layout. Not changed. */
  readonly start: Float32Array;
  /** Decays of the moving averages that are kept of its parameters; [] none. */
  readonly emas: readonly number[];
  /** Whether it also keeps a target, an average that training itself looks at; its decay comes last in an update's settings. */
  readonly target?: boolean;
  /** Gradients of several micro-batches are summed before an update. */
  readonly accumulates: boolean;
  /** Who computes the other micro-batches of an update; nobody unless given. */
  readonly ranks?: Ranks | undefined;
}

type State = ReadonlyMap<string, Chunks>;

/** A state read from files, not yet in place. */
export interface RestoredState {
  take(): void;
  dispose(): void;
}

const averagesOf = ({ emas, target }: Pick<NetworkOptions, 'emas' | 'target'>): string[] => [
  ...averageNames(emas),
  ...(target ? [targetName] : []),
];

const isAdamBuffer = (name: string) => adamBuffers.some((needed) => needed === name);

export class TrainedNetwork {
  readonly name: string;
  readonly layout: ParameterLayout;
  readonly emas: readonly number[];
  /** Of all averages, the target's among them. */
  readonly #averages: readonly string[];
  readonly #engine: Engine;
  readonly #updater: Program;
  readonly #adder: Program | null;
  readonly #ranks: Ranks;
  #state: State;
  #updates = 0;
  #candidate: State | null = null;
  #candidateUpdates = 0;
  /** What the latest update of several began with, while somebody looks. */
  #before: State | null = null;
  #gradient: Chunks | null = null;
  #kept: Chunks | null = null;
  /** What a sum of gradients begins with; [] where none are summed. */
  readonly #zeros: Chunks;

  private constructor(
    engine: Engine,
    { name, layout, start, emas, target = false, ranks = alone }: NetworkOptions,
    updater: Program,
    adder: Program | null,
  ) {
    this.name = name;
    this.layout = layout;
    this.emas = emas;
    this.#averages = averagesOf({ emas, target });
    this.#engine = engine;
    this.#updater = updater;
    this.#adder = adder;
    this.#ranks = ranks;
    const trained = layout.chunks.filter(({ trainedSize }) => trainedSize > 0);
    this.#zeros = adder ? trained.map(({ trainedSize }) => engine.upload(zeros([trainedSize]))) : [];
    this.#state = new Map(
      this.#buffers.map((buffer) => [buffer, this.#upload(buffer.endsWith('Moment') ? null : start)] as const),
    );
  }

  static async create(engine: Engine, options: NetworkOptions): Promise<TrainedNetwork> {
    const { name, layout, accumulates } = options;
    const updater = await engine.compile(updateGraph(layout, averagesOf(options)), { name: `${name} update` });
    const adder = accumulates ? await engine.compile(gradientSumGraph(layout), { name: `${name} gradient sum` }) : null;
    return new TrainedNetwork(engine, options, updater, adder);
  }

  /** As they are after the last commit. Valid until the next one. */
  get parameters(): Chunks {
    return this.#state.get('parameters')!;
  }

  /** As they are after this iteration's updates so far. */
  get latest(): Chunks {
    return (this.#candidate ?? this.#state).get('parameters')!;
  }

  /** The moving average of that decay, or the first; the parameters themselves where none is kept. Throws for a decay that is not kept. */
  average(decay?: number): Chunks {
    const i = decay === undefined ? 0 : this.emas.indexOf(decay);
    if (i < 0) throw new Error(`${this.name} keeps no average of decay ${decay}`);
    return this.#state.get(averageNames(this.emas)[i] ?? 'parameters')!;
  }

  /** The target as it is after the last commit; the parameters themselves where none is kept. */
  get target(): Chunks {
    return this.#state.get(targetName) ?? this.parameters;
  }

  /** Updates since the start, committed ones. */
  get updates(): number {
    return this.#updates;
  }

  /** The gradient of the latest update, where it was kept. */
  get keptGradient(): Chunks | null {
    return this.#kept;
  }

  /** Adds a micro-batch's gradient, which is freed; `share` of the update's. */
  async accumulate(gradient: Chunks, share: number): Promise<void> {
    if (!this.#adder) {
      this.#gradient = gradient;
      return;
    }
    const total = this.#gradient ?? this.#zeros;
    const sums = await this.#adder.run({
      ...byChunk('total', total),
      ...byChunk('gradient', gradient),
      factor: { shape: [], data: Float32Array.of(share) },
    });
    disposeAll(this.#gradient ?? []);
    disposeAll(gradient);
    this.#gradient = gradient.map((_, i) => sums[chunkName('sum', i)]!);
  }

  /**
   * Updates from the gradient summed so far, over all ranks. @returns its norm before clipping, []
   * @param keeps until `forget`: the gradient; also what the update begins with, for `originOf`
   */
  async update(settings: UpdateSettings, keeps: 'nothing' | 'gradient' | 'origin'): Promise<DeviceTensor> {
    await this.#sumOverRanks();
    const before = this.#candidate ?? this.#state;
    const keepsGradient = keeps !== 'nothing';
    const gradient = this.#gradient!;
    const step = settings.fresh ? 1 : (this.#candidate ? this.#candidateUpdates : this.#updates) + 1;
    const results = await this.#updater.run(this.#feeds(before, gradient, settings, step));
    this.#gradient = null;
    disposeAll(this.#kept ?? []);
    this.#kept = keepsGradient ? gradient : null;
    if (!keepsGradient) disposeAll(gradient);
    if (this.#before) disposeState(this.#before);
    this.#before = this.#candidate;
    if (keeps !== 'origin') this.#forgetBefore();
    const next = (buffer: string) => this.layout.chunks.map((_, i) => results[`new.${chunkName(buffer, i)}`]!);
    this.#candidate = new Map(this.#buffers.map((buffer) => [buffer, next(buffer)] as const));
    this.#candidateUpdates = step;
    return results.norm!;
  }

  /** What the update with number `step` is computed from. */
  #feeds(before: State, gradient: Chunks, settings: UpdateSettings, step: number): Record<string, Feed> {
    const feeds: Record<string, Feed> = { ...byChunk('gradient', gradient), ...updateFeeds(settings, step) };
    for (const [name, chunks] of before) {
      const anew = settings.fresh && name.endsWith('Moment');
      Object.assign(feeds, byChunk<Feed>(name, anew ? chunks.map(({ shape }) => zeros(shape)) : chunks));
    }
    return feeds;
  }

  /** Every rank has the same gradient then. It goes over the host, whatever the device. */
  async #sumOverRanks(): Promise<void> {
    if (this.#ranks.size === 1) return;
    const summed: DeviceTensor[] = [];
    try {
      for (const chunk of this.#gradient!) {
        const data = (await chunk.read()).slice();
        await this.#ranks.sum(data);
        summed.push(this.#engine.upload({ shape: chunk.shape, data }));
      }
    } catch (error) {
      disposeAll(summed);
      throw error;
    }
    disposeAll(this.#gradient!);
    this.#gradient = summed;
  }

  /** How the iteration's latest update came about; null unless it was kept. */
  originOf(settings: UpdateSettings): Origin | null {
    if (!this.#kept) return null;
    const before = this.#before ?? this.#state;
    const graph = updateGraph(this.layout, this.#averages);
    const fed = this.#feeds(before, this.#kept, settings, this.#candidateUpdates);
    const outputs = [...graph.outputs.keys()].filter((name) => name.startsWith('new.'));
    return { graph, given: [], outputs, fed, tensorOf: (output) => output.replace(/^new/, this.name) };
  }

  /** This iteration's new buffers by name, for whoever looks between two stages. */
  get candidate(): Readonly<Record<string, DeviceTensor>> {
    return Object.assign(
      {},
      ...[...(this.#candidate ?? [])].map(([name, chunks]) => byChunk(`${this.name}.${name}`, chunks)),
    );
  }

  /** Takes another tensor over in the place of one of them, which was freed. */
  adopt(name: string, value: DeviceTensor): void {
    if (!this.#candidate) throw new Error(`${this.name} has no update under way`);
    this.#candidate = new Map(
      [...this.#candidate].map(([buffer, chunks]) => [
        buffer,
        chunks.map((chunk, i) => (`${this.name}.${chunkName(buffer, i)}` === name ? value : chunk)),
      ]),
    );
  }

  commit(): void {
    if (!this.#candidate) return;
    disposeState(this.#state);
    this.#state = this.#candidate;
    this.#updates = this.#candidateUpdates;
    this.#candidate = null;
  }

  /** Forgets what the iteration did. */
  drop(): void {
    if (this.#candidate) disposeState(this.#candidate);
    disposeAll(this.#gradient ?? []);
    this.#forgetBefore();
    this.#candidate = null;
    this.#gradient = null;
  }

  /** Forgets what was kept; @param keepsGradient all but the gradient */
  forget(keepsGradient = false): void {
    this.#forgetBefore();
    if (keepsGradient) return;
    disposeAll(this.#kept ?? []);
    this.#kept = null;
  }

  #forgetBefore(): void {
    if (this.#before) disposeState(this.#before);
    this.#before = null;
  }

  /** Every buffer whole, and `steps` [1], the updates; to be read before the next commit. */
  save(): Map<string, ArraySource> {
    const arrays = new Map<string, ArraySource>();
    for (const [name, chunks] of this.#state) {
      async function* slices() {
        for (const chunk of chunks) yield* chunk.slices(sliceSize);
      }
      arrays.set(name, { shape: [this.layout.size], slices });
    }
    return arrays.set('steps', sourceOf({ shape: [1], data: Float32Array.of(this.#updates) }));
  }

  /**
   * Reads a saved state onto the device, slice by slice, beside the one that is there. An average that is not in it begins at the
   * parameters.
   * @param updates where the state does not say. Throws UserError('data') when it is not one of this layout.
   */
  async read(stored: StoredArrays | undefined, updates: number): Promise<RestoredState> {
    const state = new Map<string, Chunks>();
    const all: DeviceTensor[] = [];
    try {
      for (const buffer of this.#buffers) {
        const name = stored?.shape(buffer) || isAdamBuffer(buffer) ? buffer : 'parameters';
        const chunks: DeviceTensor[] = [];
        const { size } = this.layout;
        const shape = stored?.shape(name);
        if (!stored || !shape || sizeOf(shape) !== size) throw this.#notFitting(name, shape);
        for (const { start, size: count } of this.layout.chunks) {
          chunks.push(await this.#engine.receive([count], storedSlices(stored, name, start, start + count)));
          all.push(chunks.at(-1)!);
        }
        state.set(buffer, chunks);
      }
      const [steps] = stored?.shape('steps') ? await stored.read('steps', 0, 1) : [updates];
      return {
        take: () => {
          disposeState(this.#state);
          this.#state = state;
          this.#updates = steps!;
        },
        dispose: () => disposeAll(all),
      };
    } catch (error) {
      disposeAll(all);
      throw error;
    }
  }

  #notFitting(name: string, shape: readonly number[] | undefined): UserError {
    const found = shape ? `has [${shape.join(', ')}] numbers` : 'is missing';
    const message = `the checkpoint does not fit the network: tensor '${name}' of ${this.name}.safetensors ${found}, and it needs ${this.layout.size}`;
    return new UserError('data', message, 'Resume with the config that the run was begun with, or start a new run.');
  }

  async dispose(): Promise<void> {
    this.drop();
    this.forget();
    disposeState(this.#state);
    disposeAll(this.#zeros);
    await this.#updater.dispose();
    await this.#adder?.dispose();
  }

  get #buffers(): string[] {
    return [...adamBuffers, ...this.#averages];
  }

  /** Flat numbers as chunks on the device; null: zeros. */
  #upload(flat: Float32Array | null): Chunks {
    return this.layout.chunks.map(({ start, size }) =>
      this.#engine.upload(flat ? { shape: [size], data: flat.slice(start, start + size) } : zeros([size])),
    );
  }
}

const zeros = (shape: readonly number[]): TensorData => ({ shape, data: new Float32Array(shape[0]!) });

function disposeState(state: State): void {
  for (const chunks of state.values()) disposeAll(chunks);
}

/** Frees whatever of `tensors` is there. */
export function disposeAll(tensors: Iterable<DeviceTensor>): void {
  for (const tensor of tensors) tensor.dispose();
}
