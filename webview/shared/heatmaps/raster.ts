/**
 * Numbers as the pixels of one image, one pixel per number: the mean of the channels, one of them, or all beside each other.
 * Knows no page: the colours are given.
 *
 * A number's colour is looked up by the upper 17 bits of its float (sign, exponent, eight bits of the mantissa: steps of 0.4 %,
 * finer than the 255 colours of either sign). Nothing is computed per number, and none of it depends on the numbers: 1.5 ms for
 * 512 x 512 x 4, where scaling and clamping each took 15.
 */
import type { Picture } from './picture.ts';

/** Everything in one picture (an image's colours, else the mean), all channels beside each other, or one by number. */
export type Channels = 'together' | 'apart' | number;

export interface Tiles {
  readonly columns: number;
  readonly rows: number;
  /** In numbers, all tiles together. */
  readonly width: number;
  readonly height: number;
}

/** How the channels lie: as near to a square as can be, row by row. */
export function tilesOf({ channels, width, height }: Picture, shown: Channels): Tiles {
  const count = shown === 'apart' ? channels : 1;
  const columns = Math.max(1, Math.ceil(Math.sqrt(count)));
  const rows = Math.max(1, Math.ceil(count / columns));
  return { columns, rows, width: columns * width, height: rows * height };
}

/** Numbers that are not finite, from the corner of the tiles. */
export type OddPlaces = readonly { readonly x: number; readonly y: number }[];

/** As many are marked; the count says how many there are. */
const mostMarks = 4096;

export interface Ink {
  /** 511 colours, RGBA in 32 bits as a little-endian machine has them: index 255 is zero. */
  readonly table: Uint32Array;
  /** What is not finite: a colour that no number has. */
  readonly odd: number;
}

const shift = 15;
/** Of the sign bit and of the infinities among the upper bits; beyond them are the NaNs. */
const negative = 2 ** (31 - shift);
const infinite = 0x7f800000 >>> shift;

/** Colours by the upper bits of a number. */
type Lookup = Uint32Array;

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function upperBits(value: number): number {
  scratch[0] = value;
  return scratchBits[0]! >>> shift;
}

/** Of the last scale. */
let signed: { readonly end: number; readonly ink: Ink; readonly lookup: Lookup } | undefined;

/** Floats of one sign are in the order of their bits: a colour has a range of them. */
function signedLookup(end: number, ink: Ink): Lookup {
  if (signed?.end === end && signed.ink.table === ink.table && signed.ink.odd === ink.odd) return signed.lookup;
  const { table, odd } = ink;
  const lookup = signed?.lookup ?? new Uint32Array(2 * negative);
  for (let level = 0, from = 0; level <= 255; level++) {
    const to = level === 255 ? infinite : upperBits(((level + 0.5) * end) / 255);
    lookup.fill(table[255 + level]!, from, to);
    lookup.fill(table[255 - level]!, negative + from, negative + to);
    from = to;
  }
  lookup.fill(odd, infinite, negative);
  lookup.fill(odd, negative + infinite);
  signed = { end, ink, lookup };
  return lookup;
}

/** The numbers that are black and white in an image. */
export type Range = readonly [black: number, white: number];
export const imageRange: Range = [-1, 1];

let grey: { readonly odd: number; readonly range: Range; readonly lookup: Lookup } | undefined;

function greyLookup(odd: number, range: Range): Lookup {
  if (grey?.odd === odd && grey.range[0] === range[0] && grey.range[1] === range[1]) return grey.lookup;
  const [black, white] = range;
  const toByte = (value: number) => Math.round(255 * Math.max(0, Math.min(1, (value - black) / (white - black))));
  const middles = Uint32Array.from({ length: 2 * negative }, (_, i) => (i << shift) | (1 << (shift - 1)));
  const values = new Float32Array(middles.buffer);
  // In the middle of the infinities is a NaN.
  const lookup = Uint32Array.from(values, (value) =>
    Number.isNaN(value) ? odd : 0xff000000 | (toByte(value) * 0x010101),
  );
  grey = { odd, range, lookup };
  return lookup;
}

/**
 * Signed numbers; `end` above 0 is where the colours end.
 * @param pixels takes the tiles, row by row. @returns the places that are not finite
 */
export function rasterSigned(picture: Picture, shown: Channels, end: number, ink: Ink, pixels: Uint32Array): OddPlaces {
  return raster(picture, shown, signedLookup(end, ink), ink.odd, pixels);
}

/** An image: three channels together are its colours, else grey. */
export function rasterImage(
  picture: Picture,
  shown: Channels,
  odd: number,
  pixels: Uint32Array,
  range = imageRange,
): OddPlaces {
  const lookup = greyLookup(odd, range);
  if (shown !== 'together' || picture.channels !== 3) return raster(picture, shown, lookup, odd, pixels);
  const [red, green, blue] = [0, 1, 2].map((channel) => bitsOf(planeOf(picture, channel)));
  for (let i = 0; i < red!.length; i++) {
    const [r, g, b] = [lookup[red![i]! >>> shift]!, lookup[green![i]! >>> shift]!, lookup[blue![i]! >>> shift]!];
    const isOdd = r === odd || g === odd || b === odd;
    pixels[i] = isOdd ? odd : (r & 0xff0000ff) | (g & 0xff00) | (b & 0xff0000);
  }
  return oddPlaces(pixels, odd, picture.width);
}

function raster(picture: Picture, shown: Channels, lookup: Lookup, odd: number, pixels: Uint32Array): OddPlaces {
  const { channels, width, height } = picture;
  const { columns, rows, width: across } = tilesOf(picture, shown);
  const count = shown === 'apart' ? channels : 1;
  if (count < columns * rows) pixels.fill(0); // the last row of tiles has gaps
  for (let tile = 0; tile < count; tile++) {
    const bits = bitsOf(planeOf(picture, shown === 'apart' ? tile : shown));
    const corner = Math.floor(tile / columns) * height * across + (tile % columns) * width;
    for (let y = 0; y < height; y++) {
      const row = corner + y * across;
      const from = y * width;
      for (let x = 0; x < width; x++) pixels[row + x] = lookup[bits[from + x]! >>> shift]!;
    }
  }
  return oddPlaces(pixels, odd, across);
}

function oddPlaces(pixels: Uint32Array, odd: number, width: number): OddPlaces {
  const places: { x: number; y: number }[] = [];
  for (let at = pixels.indexOf(odd); at >= 0 && places.length < mostMarks; at = pixels.indexOf(odd, at + 1)) {
    places.push({ x: at % width, y: Math.floor(at / width) });
  }
  return places;
}

const bitsOf = ({ buffer, byteOffset, length }: Float32Array) => new Uint32Array(buffer, byteOffset, length);

/** One channel's numbers, or the mean of all. */
function planeOf({ channels, width, height, data }: Picture, channel: number | 'together'): Float32Array {
  const size = width * height;
  if (channel !== 'together' || channels === 1) {
    const at = channel === 'together' ? 0 : Math.min(channel, channels - 1) * size;
    return data.subarray(at, at + size);
  }
  const mean = new Float32Array(size);
  for (let i = 0; i < data.length; i++) mean[i % size]! += data[i]! / channels;
  return mean;
}
