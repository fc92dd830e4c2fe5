/** What a training run and those who watch it say to each other, whether they share a thread, a process or neither. */
import type { ErrorKind } from './errors.ts';

/** To the run. Each takes effect between two iterations. */
export type RunCommand =
  /** Write a checkpoint and end; the run can be resumed. */
  | { readonly type: 'stop' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'checkpoint' };

/** An error as it crosses threads and processes. */
export interface ErrorMessage {
  readonly kind: ErrorKind | 'bug';
  readonly message: string;
  readonly hint: string;
  /** For the log. */
  readonly stack: string;
}

/** From the run. */
export type RunMessage =
  /** The folder is there and locked; computing begins. */
  | {
      readonly type: 'opened';
      readonly folder: string;
      readonly kind: 'distill' | 'teach';
      /** The device and why it was chosen. */
      readonly device: string;
      readonly why: string;
      readonly threads: number;
      /** Iterations done before, and to do in all. */
      readonly step: number;
      readonly iterations: number;
    }
  /** Long work before or after the iterations, e.g. making pairs. */
  | {
      readonly type: 'work';
      readonly label: string;
      readonly done: number;
      readonly total: number;
      readonly unit: string;
    }
  | {
      readonly type: 'step';
      readonly step: number;
      readonly iterations: number;
      /** By the tag they are recorded under, e.g. loss/matching. */
      readonly scalars: Readonly<Record<string, number>>;
    }
  | { readonly type: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly type: 'note'; readonly level: 'info' | 'warning'; readonly text: string }
  | { readonly type: 'state'; readonly state: 'running' | 'paused' | 'stopping' }
  /** The last message of a run that ended in order. */
  | {
      readonly type: 'ended';
      readonly state: 'finished' | 'stopped';
      readonly folder: string;
      readonly step: number;
      readonly iterations: number;
      /** Weights written at the end. */
      readonly files: readonly string[];
    }
  /** The last message of a run that did not. */
  | { readonly type: 'failed'; readonly folder: string | null; readonly error: ErrorMessage };
