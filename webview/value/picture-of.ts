/** From an array's numbers to what heatmaps show. Knows no page. */
import type { LookKind } from '../../backend/protocol/panels/value.ts';
import type { Seen } from '../../backend/protocol/values/axes.ts';
import { type ArrayValue, statistic } from '../../backend/protocol/values/value.ts';
import type { Picture } from '../shared/heatmaps/picture.ts';

/** The largest float32: what is larger and finite must not become an infinity. */
const largest = 2 ** 127 * (2 - 2 ** -23);

/** @param numbers [channels, height, width] as `seen` says */
export function pictureOf(numbers: Float32Array | Float64Array, { channels, height, width }: Seen): Picture {
  const data = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers, single);
  return { channels, height, width, data };
}

/** a - b, in double precision before it is rounded. */
export function minus(a: Float32Array | Float64Array, b: Float32Array | Float64Array): Float32Array {
  return Float32Array.from(a, (value, i) => single(value - b[i]!));
}

function single(value: number): number {
  return Number.isFinite(value) ? Math.max(-largest, Math.min(largest, value)) : value;
}

/** Bytes and what lies in [0, 1] or [-1, 1] with channels of an image are an image; all else is signed. */
export function guessKind(value: ArrayValue, { channels, height }: Seen): LookKind {
  if (height === 1 || ![1, 3, 4].includes(channels)) return 'signed';
  const [low, high] = [statistic(value, 'min'), statistic(value, 'max')];
  if (/^u(int)?8$/.test(value.dtype)) return high > 1 ? 'byte' : 'unit';
  if (channels === 4) return 'signed'; // latents
  if (low >= 0 && high <= 1 && high > 0) return 'unit';
  return low >= -1.5 && high <= 1.5 && channels === 3 && low < 0 ? 'image' : 'signed';
}

/** What is black and white. */
export const ranges = { image: [-1, 1], unit: [0, 1], byte: [0, 255] } as const;

/** An image's colours without its transparency. */
export function opaque(picture: Picture): Picture {
  const { channels, height, width, data } = picture;
  return channels === 4 ? { channels: 3, height, width, data: data.subarray(0, 3 * height * width) } : picture;
}

/** Whole numbers with commas, spaces or x between them; null for nothing, undefined for what is no shape. */
export function parseShape(text: string): number[] | null | undefined {
  const parts = text
    .trim()
    .replace(/^[[(]|[\])]$/g, '')
    .split(/[\s,x×]+/)
    .filter(Boolean);
  if (parts.length === 0) return null;
  const sizes = parts.map(Number);
  return sizes.length <= 5 && sizes.every((size) => Number.isInteger(size) && size > 0) ? sizes : undefined;
}
