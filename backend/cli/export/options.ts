/** What `dmd export` is asked for, by any kind of model. */

export interface ExportOptions {
  /** A file, or the folder of a text-to-image model. Default: after the model. */
  readonly out?: string;
  /** Images per call, fixed in the files. */
  readonly batch: number;
  /** Height and width in pixels, of a text-to-image model. */
  readonly size?: readonly [number, number];
  /** Of a run folder: which checkpoint, the newest unless given, and which average, the first unless given. */
  readonly step?: number;
  readonly ema?: number;
  /** 'model' as the run ends with, of a run folder; ONNX unless given. */
  readonly format?: 'onnx' | 'model';
  /** float16 weights of such a model. */
  readonly half?: boolean;
}
