/**
 * Fixed-filter resampling by two, channel by channel: blur-and-decimate, and its adjoint. The two-dimensional filter is
 * outer(taps, taps) / sum(taps)^2 * gain. Each op is the other's gradient.
 */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { apply1, defineOp } from './define.ts';

function attrsOf(attrs: Attributes) {
  return attrs as unknown as { taps: number[]; gain: number; pad: number };
}

function checkImage(x: Shape): void {
  if (x.length !== 4) throw new Error('resampling needs an NCHW image');
}

function inferDown([x]: readonly Shape[], attrs: Attributes): Shape[] {
  checkImage(x);
  const { taps, pad } = attrsOf(attrs);
  const spare = x.slice(2).map((size) => size + 2 * pad - taps.length);
  if (spare.some((size) => size < 0 || size % 2 !== 0)) {
    throw new Error(`size ${x[2]}x${x[3]} does not halve exactly with ${taps.length} taps and padding ${pad}`);
  }
  return [[x[0], x[1], spare[0] / 2 + 1, spare[1] / 2 + 1]];
}

function inferUp([x]: readonly Shape[], attrs: Attributes): Shape[] {
  checkImage(x);
  const { taps, pad } = attrsOf(attrs);
  return [[x[0], x[1], ...x.slice(2).map((size) => (size - 1) * 2 - 2 * pad + taps.length)]];
}

export const downsample2Op = defineOp('downsample2', inferDown);
export const upsample2Op = defineOp('upsample2', inferUp);

/** `pad` is (taps - 1) / 2 rounded down unless given. */
interface ResampleOptions {
  gain?: number;
  pad?: number;
}

function options(taps: readonly number[], { gain = 1, pad = Math.floor((taps.length - 1) / 2) }: ResampleOptions) {
  return { taps: [...taps], gain, pad };
}

/** [B, C, H, W] -> [B, C, H/2, W/2]: filter, then keep every second pixel. */
export function downsample2(x: Tensor, taps: readonly number[], opts: ResampleOptions = {}): Tensor {
  return apply1(downsample2Op, [x], options(taps, opts));
}

/** [B, C, H, W] -> [B, C, 2H, 2W]: spread by two, then filter. `gain` 4 keeps the brightness. */
export function upsample2(x: Tensor, taps: readonly number[], opts: ResampleOptions = {}): Tensor {
  return apply1(upsample2Op, [x], options(taps, opts));
}
