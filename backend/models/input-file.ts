/** A file that a run depends on. */
export interface InputFile {
  readonly path: string;
  readonly sha256: string;
}
