/** What a run needs of a kind of training, distilling or teaching, besides its trainer. */

import type { Engine } from '../engine/engine.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { Inputs, InputWork } from '../models/input-file.ts';
import type { Inspection, InspectionQuery } from '../protocol/inspection.ts';
import type { PlaneQuestion, PlaneReading } from '../protocol/plane.ts';
import type { RunMessage, RunMessageOf } from '../protocol/run-messages.ts';
import type { Ranks } from '../ranks/ranks.ts';
import type { Scalars, StepReport, Trainer } from './trainer.ts';

/** What to record at a step, each under its tag, e.g. `loss/matching`. */
export interface Summary {
  readonly scalars?: Readonly<Record<string, number>>;
  /** PNG files. */
  readonly images?: Readonly<Record<string, Uint8Array>>;
  /** Raw values; values that are not finite are left out. */
  readonly histograms?: Readonly<Record<string, ArrayLike<number>>>;
  /** Markdown. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** training: a batch as it was trained on; probe: the fixed noise; stop: what a run stopped by a NaN had in hand. */
export const fieldKinds = ['training', 'probe', 'stop'] as const;
export type FieldKind = (typeof fieldKinds)[number];

/** Where a session records; `runs/` provides it. All throw UserError('io'). */
export interface Records {
  add(step: number, summary: Summary): void;
  /** Images [N, C, H, W], shown as one grid. */
  samples(step: number, images: TensorData): void;
  fields(
    step: number,
    kind: FieldKind,
    tensors: ReadonlyMap<string, TensorData>,
    metadata: Record<string, string>,
  ): unknown;
}

export interface InspectionHow {
  readonly signal?: AbortSignal;
  /** Levels done. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface SessionContext {
  readonly engine: Engine;
  /** The run's folder. */
  readonly folder: string;
  readonly recorder: Records;
  /** Aborted when the run is to end: for work that can be broken off, such as making pairs. */
  readonly signal: AbortSignal;
  readonly report: (message: RunMessage) => void;
  /** Who trains with this process; nobody unless given. What is recorded is the leader's. */
  readonly ranks?: Ranks | undefined;
}

/** Checked and ready to begin; nothing is written before `start`. */
export interface SessionPlan {
  /** Disk for recorded fields of each kind, in bytes. */
  readonly fieldBytes: number;
  /** Whether there is a probe to watch. */
  readonly probes?: boolean;
  /** What every iteration depends on. A resumed run must find the same. Throws UserError, 'cancelled' among them. */
  inputs(work: InputWork): Promise<Inputs>;
  start(context: SessionContext): Promise<TrainingSession>;
  /** Closes what was opened, in place of starting. */
  readonly dispose?: () => Promise<void>;
}

/** Pictures that a generator makes with its averaged weights, for whoever measures them. Never disturbs training. */
export interface SampledPictures {
  /** [C, H, W] of one. */
  readonly shape: readonly [number, number, number];
  /** Picture i shows class i modulo this; 0 for none. */
  readonly classes: number;
  readonly takesPrompts: boolean;
  /** Decays of the averages that are kept; [] where the weights themselves are what is sampled. */
  readonly averages: readonly number[];
  /**
   * Those places of an endless list [indices, C, H, W], in [-1, 1]: the same noise and condition at every step.
   * @param average its decay; the first, or the weights themselves, unless given
   */
  draw(indices: readonly number[], average?: number): Promise<TensorData>;
}

export interface TrainingSession {
  readonly trainer: Trainer;
  /** An iteration's numbers under the tags they are recorded by. */
  scalars(report: StepReport): Scalars;
  /** Records whatever else is due after `step`; 0 is the state before the first iteration. Never disturbs training. */
  record(step: number): Promise<void>;
  /** The probe of the state after `step`, whether it is recorded or not; the receiver owns its numbers. Left out: no scores. */
  readonly readProbe?: ((step: number) => Promise<RunMessageOf<'probe'>>) | undefined;
  /** Where samples are points of the plane: what is there after `step`; the receiver owns its numbers. Never disturbs training. */
  readonly readPlane?: ((step: number, asked: PlaneQuestion) => Promise<PlaneReading>) | undefined;
  /** Both scores of one image, of the state as it is. Left out: no scores. Throws UserError: 'usage', 'cancelled'. */
  readonly inspect?: ((query: InspectionQuery, how: InspectionHow) => Promise<Inspection>) | undefined;
  /** Left out: samples are no pictures. */
  readonly pictures?: SampledPictures | undefined;
  /** Writes the trained weights into a folder; returns the paths. */
  writeWeights(folder: string, half: boolean): Promise<string[]>;
  dispose(): Promise<void>;
}

/** Weights of all networks, and their gradients where those were kept, as they are recorded. */
export async function histogramsOf(trainer: Trainer): Promise<Record<string, Float32Array>> {
  const found: Record<string, Float32Array> = {};
  for (const { name, parameters } of trainer.networks) {
    found[`weights/${name}`] = joined(await Promise.all(parameters.map((chunk) => chunk.read())));
  }
  for (const [name, gradient] of await trainer.gradients()) found[`gradients/${name}`] = joined(gradient);
  return found;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whether something recorded every so many iterations (0 never) is due. */
export function isDue(every: number, step: number, iterations: number): boolean {
  return every > 0 && (step % every === 0 || step === iterations);
}
