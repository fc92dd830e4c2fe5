/** What is asked of the image thread, and what it says. Between threads only plain data travels. */
import type { DeviceName } from '../../engine/open.ts';
import type { Generated, GenerateSettings } from '../../protocol/rpc/images.ts';
import type { ErrorMessage } from '../../protocol/run-messages.ts';

export interface GenerateWork {
  readonly type: 'generate';
  readonly settings: GenerateSettings;
  readonly metadata: boolean;
  /** As chosen, and why. */
  readonly device: DeviceName;
  readonly why: string;
}

export interface ExportWork {
  readonly type: 'export';
  readonly model: string;
  /** A text-to-image model becomes a folder of this name. */
  readonly file: string;
}

/** Frees what is kept ready. */
export interface ReleaseWork {
  readonly type: 'release';
}

export interface Results {
  generate: Generated;
  export: { file: string; bytes: number };
  release: null;
}

export type Work = GenerateWork | ExportWork | ReleaseWork;

export type ToThread = Work | { readonly type: 'cancel' };

/** To one piece of work; the last message is `done` or `failed`. */
export type FromThread =
  | { readonly type: 'progress'; readonly label: string; readonly done: number; readonly total: number }
  | { readonly type: 'preview'; readonly step: number; readonly steps: number; readonly png: Uint8Array }
  | { readonly type: 'done'; readonly result: Results[Work['type']] }
  | { readonly type: 'failed'; readonly error: ErrorMessage };

export type OnProgress = (label: string, done: number, total: number) => void;

/** What whoever asked is told on the way. */
export interface Report {
  readonly progress: OnProgress;
  /** The first image as far as it is, after a step of a sampler. */
  readonly preview: (step: number, steps: number, png: Uint8Array) => void;
}
