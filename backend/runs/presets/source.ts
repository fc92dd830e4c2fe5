/** What a preset is: a file, and what of it is replaced. */
import type { ConfigKind } from '../../protocol/config/index.ts';

export interface Preset {
  readonly kind: ConfigKind;
  readonly name: string;
  /** A few words. */
  readonly title: string;
  /** What it is for, one sentence or two; also the first comment of a config whose file has another one. */
  readonly detail: string;
  /** What teachers its settings are for; left out where it needs none, or brings its own. */
  readonly teacher?: PresetTeacher;
}

export interface PresetTeacher {
  readonly prompt: boolean;
  /** Pixels. */
  readonly side: number;
  /** Whether its images are of a class. */
  readonly classes: boolean;
}

export interface Source extends Preset {
  /** Below media/. */
  readonly file: string;
  /** Values that replace the file's, by dotted key. */
  readonly set?: Readonly<Record<string, unknown>>;
}
