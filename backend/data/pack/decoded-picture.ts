/** Pixels of a picture as they lie in its file. */
import type { Orientation } from './tiff-orientation.ts';

export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  /** Four bytes a pixel, row by row, alpha not multiplied in. */
  readonly rgba: Uint8Array;
  /** What has to be done to see it upright. */
  readonly orientation: Orientation;
}
