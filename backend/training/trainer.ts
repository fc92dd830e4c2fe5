/**
 * What a run drives: something that advances one iteration at a time and can be written down and restored exactly.
 * `runs/` records, checkpoints and stops; trainers know nothing of files.
 */
import type { DeviceTensor, Engine } from '../engine/engine.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type OptimizerState, stateNames } from './optimizer-state.ts';

/** Scalars of one iteration by the trainer's own names; `runs/` decides what they are recorded as. */
export type Scalars = Record<string, number>;

export interface StepReport {
  /** The iteration just done; 1 for the first. */
  readonly step: number;
  readonly scalars: Scalars;
}

/** Named arrays of one network's optimizer state. */
export type StateArrays = Map<string, TensorData>;

export interface Trainer {
  /** Iterations done. */
  readonly step: number;
  /** Images of one iteration, all micro-batches together. */
  readonly imagesPerStep: number;
  /**
   * One iteration. Throws NumericStop before anything is committed when a number is not finite.
   */
  advance(): Promise<StepReport>;
  /** Everything needed to continue exactly: file name -> arrays. */
  save(): Promise<Map<string, StateArrays>>;
  restore(step: number, files: ReadonlyMap<string, StateArrays>): void;
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

export function allFinite(scalars: Scalars): boolean {
  return Object.values(scalars).every(Number.isFinite);
}

/** Reads a state back to the host. */
export async function saveState(state: OptimizerState): Promise<StateArrays> {
  const arrays: StateArrays = new Map();
  for (const name of stateNames) {
    arrays.set(name, { shape: state[name].shape, data: (await state[name].read()).slice() });
  }
  return arrays;
}

/** Puts a saved state on the device. Throws when it is not a state of `count` parameters. */
export function restoreState(engine: Engine, arrays: StateArrays | undefined, count: number): OptimizerState {
  const buffer = (name: (typeof stateNames)[number]) => {
    const value = arrays?.get(name);
    if (value?.data.length !== count) throw new Error(`saved state lacks '${name}' with ${count} numbers`);
    return engine.upload({ shape: [count], data: value.data.slice() });
  };
  return {
    parameters: buffer('parameters'),
    firstMoment: buffer('firstMoment'),
    secondMoment: buffer('secondMoment'),
    ema: buffer('ema'),
  };
}

/** Frees whatever of `tensors` is there. */
export function disposeAll(tensors: Iterable<DeviceTensor | null | undefined>): void {
  for (const tensor of tensors) tensor?.dispose();
}
