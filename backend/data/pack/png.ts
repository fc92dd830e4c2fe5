/** PNG of every kind that people have: gray, colours or a palette, with or without alpha, up to 16 bits. */
import { decode } from 'fast-png';
import { unpacked } from '../png.ts';
import { headerBytes, pixelsOnly } from '../png-pixels.ts';
import type { DecodedPicture } from './decoded-picture.ts';

const mostPixels = 1e8;

/** Numbers per pixel by PNG's kinds of colour; a palette's colour is one. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Of the file: signature, length and name of its first chunk, and there width, height and four bytes. */
const [depthAt, colourAt, interlaceAt] = [24, 25, 28];
const indexed = 3;

/** Throws Error for what is damaged or not read. */
export function decodeAnyPng(png: Uint8Array): DecodedPicture {
  if (png.length < headerBytes) throw new Error(`it is cut off at byte ${png.length}`);
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (view.getUint32(12) !== 0x49484452) throw new Error('its first chunk is not its header');
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width === 0 || height === 0) throw new Error(`it is ${width} x ${height}`);
  if (width * height > mostPixels) throw new Error(`it is ${width} x ${height}, more than is read`);
  const [depth, colour] = [png[depthAt]!, png[colourAt]!];
  const samples = samplesOf[colour];
  if (samples === undefined || ![1, 2, 4, 8, 16].includes(depth)) throw new Error('its header is damaged');
  // The decoder takes the pixels of an interlaced file for bytes.
  if (depth < 8 && png[interlaceAt] !== 0) throw new Error(`it is interlaced with ${depth} bits; save it plain`);
  const { data, palette } = decode(pixelsOnly(png, samples * depth, colour === indexed ? ['PLTE', 'tRNS'] : []));
  const values = depth < 8 ? unpacked(data, width, height, depth) : data;
  const colours = colour === indexed ? paletteOf(palette) : undefined;
  return { width, height, rgba: rgbaOf(values, width * height, samples, 2 ** depth - 1, colours), orientation: 1 };
}

function paletteOf(palette: readonly (readonly number[])[] | undefined): readonly (readonly number[])[] {
  if (!palette || palette.length === 0) throw new Error('it has no palette');
  return palette;
}

function rgbaOf(
  values: ArrayLike<number>,
  pixels: number,
  samples: number,
  white: number,
  palette: readonly (readonly number[])[] | undefined,
): Uint8Array {
  const out = new Uint8Array(4 * pixels);
  const byte = (value: number) => Math.round((255 * value) / white);
  for (let i = 0; i < pixels; i++) {
    const at = samples * i;
    if (palette) {
      const entry = palette[values[at]!];
      if (!entry) throw new Error(`it names colour ${values[at]} of a palette of ${palette.length}`);
      for (let c = 0; c < 4; c++) out[4 * i + c] = entry[c] ?? 255;
      continue;
    }
    const hasColour = samples >= 3;
    for (let c = 0; c < 3; c++) out[4 * i + c] = byte(values[at + (hasColour ? c : 0)]!);
    out[4 * i + 3] = samples % 2 === 0 ? byte(values[at + samples - 1]!) : 255;
  }
  return out;
}
