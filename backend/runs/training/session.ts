/** What a run needs of a kind of training, distilling or teaching, besides its trainer. */
import type { Scalars, StepReport, Trainer } from '../../dmd/trainer.ts';
import type { Engine, Feed } from '../../engine/engine.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { RunMessage, RunMessageOf } from '../../protocol/run-messages.ts';
import type { RunPaths } from '../run-folder.ts';
import type { RunControl } from './control.ts';
import type { Recorder } from './recorder.ts';

export interface SessionContext {
  readonly engine: Engine;
  readonly paths: RunPaths;
  readonly recorder: Recorder;
  readonly control: RunControl;
  readonly report: (message: RunMessage) => void;
}

export interface InputFile {
  readonly path: string;
  readonly sha256: string;
}

/** Checked and ready to begin; nothing is written before `start`. */
export interface SessionPlan {
  /** Disk for recorded fields of each kind, in bytes. */
  readonly fieldBytes: number;
  /** The files that every iteration depends on: config key -> path and SHA-256. A resumed run must find the same. */
  readonly inputs: Readonly<Record<string, InputFile>>;
  start(context: SessionContext): Promise<TrainingSession>;
}

export interface TrainingSession {
  readonly trainer: Trainer;
  /** An iteration's numbers under the tags they are recorded by. */
  scalars(report: StepReport): Scalars;
  /** Records whatever else is due after `step`; 0 is the state before the first iteration. Never disturbs training. */
  record(step: number): Promise<void>;
  /** The probe of the state after `step`, whether it is recorded or not; the receiver owns its numbers. Left out: no scores. */
  readonly readProbe?: ((step: number) => Promise<RunMessageOf<'probe'>>) | undefined;
  /** Writes the trained weights into a folder; returns the paths. */
  writeWeights(folder: string, half: boolean): Promise<string[]>;
  dispose(): Promise<void>;
}

/** Sample pictures of fixed inputs, the same at every recorded step. */
export interface Preview {
  /** [samples, C, H, W]. Parameters are flat: what is sampled of the generator, and the teacher's below adapters. */
  images(generator: Feed, teacher: Feed | null): Promise<TensorData>;
  dispose(): Promise<void>;
}

/** Parameter gradients by network as they are recorded. */
export function gradientHistograms(gradients: ReadonlyMap<string, Float32Array>): Record<string, Float32Array> {
  return Object.fromEntries(Array.from(gradients, ([network, numbers]) => [`gradients/${network}`, numbers]));
}

/** Whether something recorded every so many iterations (0 never) is due. */
export function isDue(every: number, step: number, iterations: number): boolean {
  return every > 0 && (step % every === 0 || step === iterations);
}
