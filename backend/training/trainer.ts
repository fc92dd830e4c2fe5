/**
 * The trainer: drives a procedure, a method's or a teaching's, one iteration at a time over its trained networks, commits only
 * iterations whose numbers are finite, and writes down and restores exactly. `runs/` records, checkpoints and stops; trainers know
 * nothing of files.
 */
import type { DeviceTensor, Engine, Feed } from '../engine/engine.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import type { ArraySource, StoredArrays } from '../weights/array-source.ts';
import { Iteration, type Scalars, type Watch } from './iteration.ts';
import { JoinedReader } from './joined-reader.ts';
import { type LossScales, noLossScales } from './loss-scale.ts';
import type { RestoredState, TrainedNetwork } from './trained-network.ts';

export type { Scalars } from './iteration.ts';

export interface StepReport {
  /** The iteration just done; 1 for the first. */
  readonly step: number;
  readonly scalars: Scalars;
}

/** Named arrays of one network's state. */
export type StateArrays = ReadonlyMap<string, ArraySource>;

/** Settings of an iteration that a person may change while it goes on, by name as a config has them. */
export interface Adjustable {
  /** What they would be by themselves. */
  natural(step: number): Scalars;
  /** What holds in their place, from when an iteration next asks for them. */
  readonly overrides: Map<string, number>;
  /** What the numbers 0, 1, ... of a setting stand for, where it is one of several words. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
}

/** What is trained, and what an iteration of it does. */
export interface Procedure {
  readonly networks: readonly TrainedNetwork[];
  /** Images of one iteration, all micro-batches together. */
  readonly imagesPerStep: number;
  /** Names of the tensors that are recorded of an iteration, as far as they exist. */
  readonly recorded: readonly string[];
  /** Updates of a network per iteration, 1 unless given: for states that do not count them. */
  readonly updatesPerStep?: Readonly<Record<string, number>>;
  readonly adjustable?: Adjustable;
  /** Who computes the rest of every batch; nobody unless given. */
  readonly ranks?: Ranks | undefined;
  /** Of the networks whose gradients are computed in float16; none unless given. */
  readonly lossScales?: LossScales;
  /** Numbers that are known without computing, such as learning rates. */
  rates?(step: number): Scalars;
  /** Leaves updates in the networks and numbers in the iteration. */
  iterate(iteration: Iteration): Promise<void>;
  /** Puts into the iteration what micro-batch `micro` had in hand: for a person who looks for the cause of a NaN. */
  reconstruct(iteration: Iteration, micro: number): Promise<void>;
  dispose(): Promise<void>;
}

/** NaN or Inf: the iteration was not committed. `tensors` are what a person needs to find the cause. */
export class NumericStop extends Error {
  readonly step: number;
  readonly scalars: Scalars;
  readonly tensors: ReadonlyMap<string, TensorData>;

  constructor(step: number, scalars: Scalars, tensors: ReadonlyMap<string, TensorData>) {
    const names = Object.entries(scalars).flatMap(([name, value]) => (Number.isFinite(value) ? [] : [name]));
    super(`${names.join(', ')} became NaN or infinite in step ${step}; the step was not committed`);
    this.name = 'NumericStop';
    this.step = step;
    this.scalars = scalars;
    this.tensors = tensors;
  }
}

export class Trainer {
  /** Iterations done. */
  step = 0;
  readonly #engine: Engine;
  readonly #procedure: Procedure;
  readonly #keepsGradients: (step: number) => boolean;
  readonly #reader: JoinedReader;
  #latest: Iteration | null = null;

  /** @param keepsGradients steps whose gradients stay until the next one; none unless given */
  constructor(engine: Engine, procedure: Procedure, keepsGradients: (step: number) => boolean = () => false) {
    this.#engine = engine;
    this.#procedure = procedure;
    this.#reader = new JoinedReader(engine);
    this.#keepsGradients = keepsGradients;
  }

  get imagesPerStep(): number {
    return this.#procedure.imagesPerStep;
  }

  get networks(): readonly TrainedNetwork[] {
    return this.#procedure.networks;
  }

  get #scales(): LossScales {
    return this.#procedure.lossScales ?? noLossScales;
  }

  get #ranks(): Ranks {
    return this.#procedure.ranks ?? alone;
  }

  get adjustable(): Adjustable | undefined {
    return this.#procedure.adjustable;
  }

  /** Throws where there is none of that name. */
  network(name: string): TrainedNetwork {
    const found = this.networks.find((network) => network.name === name);
    if (!found) throw new Error(`no network '${name}' is trained`);
    return found;
  }

  /** The latest iteration's tensors on the device; valid until the next `advance`. */
  get tensors(): Readonly<Record<string, DeviceTensor>> {
    return this.#latest?.tensors ?? {};
  }

  /**
   * What of the recorded tensors exists now, by name, where it lies, and the iteration they are of: the latest, or so far the one
   * under way. Valid until it, or the next one, goes on.
   */
  get held(): { readonly step: number; readonly tensors: ReadonlyMap<string, Feed> } {
    const { step = this.step } = this.#latest ?? {};
    return { step, tensors: this.#latest?.existing(this.#procedure.recorded) ?? new Map() };
  }

  /**
   * One iteration. Throws NumericStop when a number is not finite, IterationDropped when it was given up, and whatever the watcher
   * throws: then nothing was committed.
   */
  async advance(watch: Watch = {}): Promise<StepReport> {
    const step = this.step + 1;
    this.#forget();
    const iteration = new Iteration(this.#engine, step, watch, this.#keepsGradients(step), this.#scales);
    this.#latest = iteration;
    try {
      await this.#procedure.iterate(iteration);
      const { scalars, bad } = await iteration.read(this.#reader, this.#ranks);
      if (iteration.overflowed.size > 0) dropInfinite(scalars);
      Object.assign(scalars, this.#procedure.rates?.(step));
      for (const [name, { used }] of this.#scales) scalars[`loss-scale/${name}`] = used;
      await iteration.commits(scalars);
      const all = this.networks.every(({ name }) => iteration.skipped.has(name));
      if (bad !== undefined && !all) throw await this.#numericStop(iteration, scalars, bad);
      for (const network of this.networks) {
        const scale = this.#scales.get(network.name);
        if (iteration.overflowed.has(network.name)) scale!.overflow();
        else if (!iteration.skipped.has(network.name)) {
          await network.commit();
          scale?.succeed();
        }
      }
      this.step = step;
      return { step, scalars };
    } catch (error) {
      if (!(error instanceof NumericStop)) this.#forget();
      throw error;
    } finally {
      for (const network of this.networks) network.drop();
    }
  }

  /** @param micro the micro-batch that had the number, on whatever rank; the tensors at hand are the last one's of this */
  async #numericStop(iteration: Iteration, scalars: Scalars, micro: number): Promise<NumericStop> {
    if (this.#ranks.rank > 0) return new NumericStop(iteration.step, scalars, new Map());
    if (iteration.micro !== micro) {
      this.#latest = new Iteration(this.#engine, iteration.step);
      iteration.dispose();
      await this.#procedure.reconstruct(this.#latest, micro);
    }
    this.#latest!.keep(this.#procedure.recorded);
    return new NumericStop(iteration.step, scalars, await this.fields());
  }

  /** The latest iteration's recorded tensors on the host. */
  async fields(): Promise<Map<string, TensorData>> {
    return (await this.#latest?.onHost(this.#procedure.recorded)) ?? new Map();
  }

  /** Gradients of the latest iteration by network, where they were kept. */
  async gradients(): Promise<Map<string, readonly Float32Array[]>> {
    const found = new Map<string, readonly Float32Array[]>();
    for (const { name, keptGradient } of this.networks) {
      if (!keptGradient) continue;
      const numbers = await Promise.all(keptGradient.map((chunk) => chunk.read()));
      const scale = this.#scales.get(name)?.used ?? 1;
      found.set(name, scale === 1 ? numbers : numbers.map((chunk) => chunk.map((value) => value / scale)));
    }
    return found;
  }

  /** Everything needed to continue exactly: network -> arrays, to be read before the next `advance`. */
  async save(): Promise<Map<string, StateArrays>> {
    return new Map(
      this.networks.map((network) => {
        const scale = this.#scales.get(network.name);
        return [network.name, scale ? network.save().set(...scale.save()) : network.save()];
      }),
    );
  }

  /** Throws UserError('data') when the files are not those of this trainer; it is then as it was. */
  async restore(step: number, files: ReadonlyMap<string, StoredArrays>): Promise<void> {
    const { updatesPerStep = {} } = this.#procedure;
    const found: RestoredState[] = [];
    try {
      for (const network of this.networks) {
        found.push(await network.read(files.get(network.name), step * (updatesPerStep[network.name] ?? 1)));
      }
    } catch (error) {
      for (const state of found) state.dispose();
      throw error;
    }
    for (const [name, scale] of this.#scales) await scale.restore(files.get(name));
    for (const state of found) state.take();
    this.step = step;
  }

  #forget(): void {
    this.#latest?.dispose();
    this.#latest = null;
    for (const network of this.networks) network.forget();
  }

  async dispose(): Promise<void> {
    this.#forget();
    for (const network of this.networks) await network.dispose();
    await this.#procedure.dispose();
    await this.#reader.dispose();
  }
}

/** What a gradient that overflowed, and its update, made of an iteration's numbers is not recorded. */
function dropInfinite(scalars: Scalars): void {
  for (const [name, value] of Object.entries(scalars)) if (!Number.isFinite(value)) delete scalars[name];
}
