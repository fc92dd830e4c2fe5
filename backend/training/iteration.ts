/**
 * One iteration under way: the tensors that exist so far, by name, and the numbers that will be reported of it. Between two stages
 * whoever watches may look at every tensor, put another in its place, skip an update, or give the iteration up. Nothing of it
 * counts before the trainer commits.
 */
import { type DeviceTensor, type Engine, type Feed, isDeviceTensor } from '../engine/engine.ts';
import { byChunk } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import type { JoinedReader } from './joined-reader.ts';
import { type LossScales, noLossScales } from './loss-scale.ts';
import { type Chunks, disposeAll } from './network-state.ts';
import type { Origin } from './origin.ts';
import { overRanks } from './over-ranks.ts';
import type { StagedProgram } from './staged-program.ts';
import type { TrainedNetwork } from './trained-network.ts';
import type { UpdateSettings } from './update-graph.ts';

/** Scalars of one iteration by the trainer's own names; `runs/` decides what they are recorded as. */
export type Scalars = Record<string, number>;

/** An iteration between two stages. Valid until the watcher's promise settles. */
export interface Between {
  readonly step: number;
  /** The micro-batch, from 0. */
  readonly micro: number;
  /** The stage just done. */
  readonly stage: string;
  /** Stages of this iteration before it, over all micro-batches. */
  readonly ordinal: number;
  /** The iteration's numbers, once they are read: before the commit. */
  readonly scalars: Scalars;
  /** Null for a stage that no graph stands for. */
  readonly origin: Origin | null;
  /** What exists now. */
  readonly names: readonly string[];
  /** Throws for a name that does not exist now. Read only. */
  tensor(name: string): Feed;
  /** Puts numbers of the same shape in a tensor's place: all that follows is computed from them. */
  replace(name: string, value: TensorData): void;
  /** The iteration will leave that network as it is; or, taken back, will not. */
  skipUpdate(network: string, skip?: boolean): void;
  /** The iteration ends here, without a trace. */
  drop(): never;
}

export interface Watch {
  /** After every stage, `commit` among them. What it throws ends the iteration without a trace. It may come and go meanwhile. */
  readonly onStage?: ((between: Between) => Promise<void>) | undefined;
  /** After the stage `commit` alone, where nobody watches all of them: it costs the others nothing. */
  readonly onCommit?: ((between: Between) => Promise<void>) | undefined;
  /** Before every micro-batch: the place to wait, or to throw IterationDropped. */
  readonly onMicro?: ((step: number, done: number, of: number) => Promise<void>) | undefined;
}

/** The iteration was given up: nothing of it was committed. */
export class IterationDropped extends Error {
  constructor(step: number) {
    super(`iteration ${step} was given up; nothing of it was committed`);
    this.name = 'IterationDropped';
  }
}

/** Numbers on the device that are read once, at the end. */
interface Report {
  readonly names: readonly string[];
  readonly values: DeviceTensor;
  readonly share: number;
  readonly micro: number;
  /** Whose gradient's norm it is: every rank has the same. */
  readonly network: string | undefined;
}

export class Iteration {
  readonly step: number;
  micro = 0;
  /** Networks that are left as they are. */
  readonly skipped = new Set<string>();
  /** Those whose gradient was not finite, which is put down to its scale. */
  readonly overflowed = new Set<string>();
  readonly #engine: Engine;
  readonly #watch: Watch;
  readonly #keepsGradients: boolean;
  readonly #scales: LossScales;
  readonly #tensors = new Map<string, Feed>();
  #reports: Report[] = [];
  #scalars: Scalars = {};
  /** Stages done. */
  #done = 0;

  constructor(engine: Engine, step: number, watch: Watch = {}, keepsGradients = false, scales = noLossScales) {
    this.#engine = engine;
    this.step = step;
    this.#watch = watch;
    this.#keepsGradients = keepsGradients;
    this.#scales = scales;
  }

  /** Begins micro-batch `micro` of `of`, numbered over all that the iteration has; the tensors of the one before are freed. */
  async begin(micro: number, done: number, of: number): Promise<void> {
    await this.#watch.onMicro?.(this.step, done, of);
    this.micro = micro;
  }

  /** These exist from now on, and belong to the iteration; what had their names before is freed. */
  put(tensors: Readonly<Record<string, Feed>>): void {
    for (const [name, value] of Object.entries(tensors)) {
      const before = this.#tensors.get(name);
      if (before !== value) free(before);
      this.#tensors.set(name, value);
    }
  }

  /** Those of the names that are on the host. */
  onHostNow(names: readonly string[]): Record<string, TensorData> {
    const found = names.map((name) => [name, this.#existing(name)] as const);
    return Object.fromEntries(
      found.flatMap(([name, value]) => (isDeviceTensor(value) ? [] : [[name, value] as const])),
    );
  }

  /** Hands a tensor over to whoever asks. */
  take(name: string): DeviceTensor {
    const tensor = this.#existing(name);
    this.#tensors.delete(name);
    return isDeviceTensor(tensor) ? tensor : this.#engine.upload(tensor);
  }

  /** Hands over a tensor's chunks. */
  takeChunks(name: string): Chunks {
    const names = [...this.#tensors.keys()].filter((key) => key.replace(/\.\d+$/, '') === name);
    return names.map((key) => this.take(key));
  }

  /** Frees what nobody needs any more. While somebody watches, it stays to be looked at. */
  free(...names: string[]): void {
    if (this.#watch.onStage) return;
    for (const name of names) {
      free(this.#tensors.get(name));
      this.#tensors.delete(name);
    }
  }

  /** The last stage: everything is computed, these are its numbers, and nothing is committed. */
  async commits(scalars: Scalars): Promise<void> {
    this.#scalars = scalars;
    await this.#show('commit', null, this.#watch.onStage ?? this.#watch.onCommit);
  }

  /** The stage is done. @returns whether a tensor was replaced */
  stage(name: string, origin: Origin | null = null): Promise<boolean> {
    return this.#show(name, origin, this.#watch.onStage);
  }

  async #show(stage: string, origin: Origin | null, onStage: Watch['onStage']): Promise<boolean> {
    const ordinal = this.#done;
    this.#done += 1;
    if (!onStage) return false;
    let changed = false;
    await onStage({
      ...{ step: this.step, micro: this.micro, stage, ordinal, origin, scalars: this.#scalars },
      names: [...this.#tensors.keys()],
      tensor: (key) => this.#existing(key),
      replace: (key, value) => {
        const { shape } = this.#existing(key);
        if (shape.join() !== value.shape.join()) throw new Error(`'${key}' is [${shape}], not [${value.shape}]`);
        this.put({ [key]: { shape: [...shape], data: value.data.slice() } });
        changed = true;
      },
      skipUpdate: (network, skip = true) => {
        if (skip) this.skipped.add(network);
        else this.skipped.delete(network);
      },
      drop: () => {
        throw new IterationDropped(this.step);
      },
    });
    return changed;
  }

  /** Runs a program on what exists and `also`; its outputs exist from their stages on. */
  async run(program: StagedProgram, also: Readonly<Record<string, Feed>> = {}): Promise<void> {
    const feeds = () => ({ ...Object.fromEntries(this.#tensors), ...also });
    let results: Readonly<Record<string, DeviceTensor>> = await program.run(feeds());
    if (!this.#watch.onStage) {
      this.put(results);
      this.#done += program.stages.length;
      return;
    }
    try {
      for (const [i, [stage, outputs]] of program.stages.entries()) {
        const [now, later] = divide(results, outputs);
        this.put(now);
        results = later;
        const { graph } = program;
        const given = program.stages.slice(0, i).flatMap(([, own]) => own);
        const origin = { graph, given, outputs, fed: also, tensorOf: (name: string) => name };
        if (!(await this.stage(stage, origin)) || i === program.stages.length - 1) continue;
        disposeAll(Object.values(later));
        results = {};
        results = await program.runAfter(i, feeds());
      }
    } finally {
      disposeAll(Object.values(results));
    }
  }

  /**
   * Updates a network from the gradients summed for it; the new buffers are looked at as `network.parameters` and the like.
   * `last`: nothing that follows in this iteration is computed from the network as it is then.
   */
  async update(
    network: TrainedNetwork,
    given: UpdateSettings,
    { stage, norm, share = 1, last }: { stage: string; norm: string; share?: number; last: boolean },
  ): Promise<void> {
    const settings = { ...given, lossScale: this.#scales.get(network.name)?.used };
    const shown = this.#watch.onStage !== undefined;
    const keeps = shown ? 'origin' : this.#keepsGradients ? 'gradient' : 'nothing';
    this.report([norm], await network.update(settings, keeps, last), share, network.name);
    if (!shown) {
      this.#done += 1;
      return;
    }
    const before = network.candidate;
    for (const [name, tensor] of Object.entries(before)) this.#tensors.set(name, tensor);
    try {
      await this.stage(stage, network.originOf(settings));
    } finally {
      network.forget(this.#keepsGradients);
      for (const [name, tensor] of Object.entries(before)) {
        const now = this.take(name);
        // What was replaced was freed then.
        if (now !== tensor) network.adopt(name, now);
      }
    }
  }

  /**
   * Numbers to read once, at the end: `share` of each, summed by name; all of them must be finite. Takes the tensor over.
   * @param network whose gradient's norm it is, the same on every rank; others are summed over the ranks too
   */
  report(names: readonly string[], values: DeviceTensor, share: number, network?: string): void {
    this.#reports.push({ names, values, share, micro: this.micro, network });
  }

  /** Reads everything reported, at once. @returns the sums, and the first micro-batch that had a number which is not finite */
  async read(reader: JoinedReader, ranks: Ranks = alone): Promise<{ scalars: Scalars; bad: number | undefined }> {
    const scalars: Scalars = {};
    const own = new Set<string>();
    let [ownBad, bad]: (number | undefined)[] = []; // the first of this rank's numbers, and of all
    const reports = this.#reports;
    const read = await reader.read(reports.map(({ values }) => values));
    for (const [k, { names, share, micro, network }] of reports.entries()) {
      const numbers = read[k]!;
      const explained = this.#isExplained(numbers, network);
      names.forEach((name, i) => {
        scalars[name] = (scalars[name] ?? 0) + numbers[i]! * share;
        if (!network) own.add(name);
        if (explained || Number.isFinite(numbers[i])) return;
        bad ??= micro;
        if (!network) ownBad ??= micro;
      });
    }
    disposeAll(reports.map(({ values }) => values));
    this.#reports = [];
    if (ranks.size === 1) return { scalars, bad };
    return { scalars, bad: (await overRanks(ranks, scalars, own, ownBad)) ?? bad };
  }

  /** Whether numbers are not finite for a scale that was too large, or for what an update made of such a gradient. */
  #isExplained(numbers: Float32Array, network: string | undefined): boolean {
    if (numbers.every(Number.isFinite)) return false;
    if (network && this.#scales.get(network)?.explains) this.overflowed.add(network);
    return this.overflowed.size > 0;
  }

  /** What of these names exists. */
  existing(names: readonly string[]): Map<string, Feed> {
    return new Map(
      names.flatMap((name) => {
        const value = this.#tensors.get(name);
        return value ? [[name, value] as const] : [];
      }),
    );
  }

  /** What of these names exists, on the host and owned by whoever asks. */
  async onHost(names: readonly string[]): Promise<Map<string, TensorData>> {
    const found = new Map<string, TensorData>();
    for (const [name, value] of this.existing(names)) {
      const data = isDeviceTensor(value) ? (await value.read()).slice() : value.data;
      found.set(name, { shape: value.shape, data });
    }
    return found;
  }

  /** Frees everything else. */
  keep(names: readonly string[]): void {
    for (const [name, value] of this.#tensors) {
      if (names.includes(name)) continue;
      free(value);
      this.#tensors.delete(name);
    }
  }

  /** Those on the device. */
  get tensors(): Readonly<Record<string, DeviceTensor>> {
    return Object.fromEntries(
      [...this.#tensors].flatMap(([name, value]) => (isDeviceTensor(value) ? [[name, value]] : [])),
    );
  }

  /** Frees everything. */
  dispose(): void {
    for (const value of this.#tensors.values()) free(value);
    this.#tensors.clear();
    disposeAll(this.#reports.map(({ values }) => values));
    this.#reports = [];
  }

  #existing(name: string): Feed {
    const value = this.#tensors.get(name);
    if (!value) throw new Error(`'${name}' does not exist at this stage`);
    return value;
  }
}

/** A network's parameters as programs are fed them. */
export const fedAs = (name: string, chunks: Chunks): Record<string, Feed> => byChunk(name, chunks);

function divide<T>(
  record: Readonly<Record<string, T>>,
  names: readonly string[],
): [Record<string, T>, Record<string, T>] {
  const part = (inside: boolean) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name) === inside));
  return [part(true), part(false)];
}

function free(value: Feed | undefined): void {
  if (value && isDeviceTensor(value)) value.dispose();
}
