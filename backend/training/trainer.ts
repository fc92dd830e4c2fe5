/**
 * What a run drives: something that advances one iteration at a time and can be written down and restored exactly.
 * `runs/` records, checkpoints and stops; trainers know nothing of files.
 */
import type { DeviceTensor, Engine } from '../engine/engine.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { type ArraySource, type StoredArrays, sliceSize, storedSlices } from '../weights/array-source.ts';
import { type OptimizerState, stateNames } from './optimizer-state.ts';

/** Scalars of one iteration by the trainer's own names; `runs/` decides what they are recorded as. */
export type Scalars = Record<string, number>;

export interface StepReport {
  /** The iteration just done; 1 for the first. */
  readonly step: number;
  readonly scalars: Scalars;
}

/** Named arrays of one network's optimizer state. */
export type StateArrays = Map<string, ArraySource>;

export interface Trainer {
  /** Iterations done. */
  readonly step: number;
  /** Images of one iteration, all micro-batches together. */
  readonly imagesPerStep: number;
  /**
   * One iteration. Throws NumericStop before anything is committed when a number is not finite.
   */
  advance(): Promise<StepReport>;
  /** Everything needed to continue exactly: file name -> arrays, to be read before the next `advance`. */
  save(): Promise<Map<string, StateArrays>>;
  /** Throws UserError('data') when the files are not those of this trainer; it is then as it was. */
  restore(step: number, files: ReadonlyMap<string, StoredArrays>): Promise<void>;
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

/** A state as it is read back to the host, while it is not disposed. */
export function saveState(state: OptimizerState): StateArrays {
  return new Map(
    stateNames.map((name) => [name, { shape: state[name].shape, slices: () => state[name].slices(sliceSize) }]),
  );
}

/**
 * Puts a saved state on the device, slice by slice.
 * @param file what the state is saved under, for errors
 * @throws UserError('data') when it is not a state of `count` parameters
 */
export async function restoreState(
  engine: Engine,
  files: ReadonlyMap<string, StoredArrays>,
  file: string,
  count: number,
): Promise<OptimizerState> {
  const stored = files.get(file);
  const state: Partial<Record<keyof OptimizerState, DeviceTensor>> = {};
  try {
    for (const name of stateNames) {
      const shape = stored?.shape(name);
      if (!stored || !shape || sizeOf(shape) !== count) throw notFitting(file, name, count, shape);
      state[name] = await engine.receive([count], storedSlices(stored, name));
    }
    return state as OptimizerState;
  } catch (error) {
    disposeAll(Object.values(state));
    throw error;
  }
}

function notFitting(file: string, name: string, count: number, shape: readonly number[] | undefined): UserError {
  const found = shape ? `has [${shape.join(', ')}] numbers` : 'is missing';
  const message = `the checkpoint does not fit the network: tensor '${name}' of ${file}.safetensors ${found}, and it needs ${count}`;
  return new UserError('data', message, 'Resume with the config that the run was begun with, or start a new run.');
}

/** Frees whatever of `tensors` is there. */
export function disposeAll(tensors: Iterable<DeviceTensor | null | undefined>): void {
  for (const tensor of tensors) tensor?.dispose();
}
