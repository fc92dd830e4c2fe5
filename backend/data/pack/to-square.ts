/** A picture of any size as a small square one: its middle, or all of it with bars, by Pillow's antialiased bicubic filter. */
import { resample } from '../../metrics/resample.ts';
import type { DecodedPicture } from './decoded-picture.ts';
import { upright } from './tiff-orientation.ts';

export interface SquareOptions {
  /** Pixels per side. */
  readonly size: number;
  /** `crop`: the largest square in the middle; `pad`: all of it, with bars. */
  readonly how: 'crop' | 'pad';
  /** What is behind transparent pixels and in bars, 0 or 255. */
  readonly ground: number;
  /** Luma alone. */
  readonly gray: boolean;
}

/** Luma of Rec. 601, as in `fit.ts`. */
const luma = [0.299, 0.587, 0.114] as const;

/** [1 or 3, size, size] in [-1, 1], of whole bytes. */
export function toSquare(picture: DecodedPicture, { size, how, ground, gray }: SquareOptions): Float32Array {
  const { width, height, orientation } = picture;
  const side = Math.min(width, height);
  const crop = how === 'crop';
  const [left, top] = crop ? [Math.floor((width - side) / 2), Math.floor((height - side) / 2)] : [0, 0];
  const [fromWidth, fromHeight] = crop ? [side, side] : [width, height];
  const scale = size / Math.max(fromWidth, fromHeight);
  const [toWidth, toHeight] = [fromWidth, fromHeight].map((length) => Math.max(1, Math.round(length * scale))) as [
    number,
    number,
  ];
  const out = new Float32Array(3 * size * size).fill(ground);
  const [atX, atY] = [Math.floor((size - toWidth) / 2), Math.floor((size - toHeight) / 2)];
  for (let c = 0; c < 3; c++) {
    // A channel at a time: a photograph of 50 million pixels is 200 MB as numbers.
    const plane = channelOf(picture, c, ground, { left, top, width: fromWidth, height: fromHeight });
    const small = resample({ shape: [fromHeight, fromWidth], data: plane }, toHeight, toWidth, 'bicubic', {
      bytes: true,
    });
    for (let y = 0; y < toHeight; y++) {
      out.set(small.data.subarray(y * toWidth, (y + 1) * toWidth), (c * size + atY + y) * size + atX);
    }
  }
  return upright(gray ? lumaOf(out) : out, size, orientation).map((byte) => byte / 127.5 - 1);
}

interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One channel of a part, 0..255, over the ground. */
function channelOf({ width, rgba }: DecodedPicture, channel: number, ground: number, part: Part): Float32Array {
  const out = new Float32Array(part.width * part.height);
  for (let y = 0; y < part.height; y++) {
    for (let x = 0; x < part.width; x++) {
      const at = 4 * ((part.top + y) * width + part.left + x);
      const alpha = rgba[at + 3]!;
      const value = rgba[at + channel]!;
      out[y * part.width + x] = alpha === 255 ? value : Math.round((value * alpha + ground * (255 - alpha)) / 255);
    }
  }
  return out;
}

function lumaOf(rgb: Float32Array): Float32Array {
  const plane = rgb.length / 3;
  const of = (i: number) => luma[0] * rgb[i]! + luma[1] * rgb[plane + i]! + luma[2] * rgb[2 * plane + i]!;
  return Float32Array.from({ length: plane }, (_, i) => Math.round(of(i)));
}
