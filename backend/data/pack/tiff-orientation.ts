/**
 * How a camera was held, from the EXIF data of a picture: a TIFF file without pixels, in which the number with tag 0x112 says
 * where the first row and column belong. What cannot be read says nothing: pictures are then taken as they lie.
 */

/** 1 as it lies; 2 to 8 as in TIFF 6.0, section 8. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const orientationTag = 0x0112;
const shortType = 3;

export function tiffOrientation(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, little) !== orientationTag || view.getUint16(at + 2, little) !== shortType) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? (value as Orientation) : 1;
  }
  return 1;
}

/** A square picture [C, S, S] turned and mirrored so that it stands upright. */
export function upright(data: Float32Array, size: number, orientation: Orientation): Float32Array {
  if (orientation === 1) return data;
  const last = size - 1;
  /** Where the pixel of row y and column x comes from: [row, column]. */
  const from: Record<Orientation, (y: number, x: number) => [number, number]> = {
    1: (y, x) => [y, x],
    2: (y, x) => [y, last - x],
    3: (y, x) => [last - y, last - x],
    4: (y, x) => [last - y, x],
    5: (y, x) => [x, y],
    6: (y, x) => [last - x, y],
    7: (y, x) => [last - x, last - y],
    8: (y, x) => [x, last - y],
  };
  return data.map((_, i) => {
    const [plane, y, x] = [Math.floor(i / (size * size)), Math.floor(i / size) % size, i % size];
    const [row, column] = from[orientation](y, x);
    return data[(plane * size + row) * size + column]!;
  });
}
