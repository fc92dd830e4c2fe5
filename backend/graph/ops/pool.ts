/**
 * Pooling over square windows, channel by channel. Positions beyond the border count neither for the largest nor for the
 * mean, which is taken over the pixels that are there (PyTorch's `count_include_pad=False`). Networks that are only
 * evaluated use them: there is no gradient.
 */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { apply1, defineOp } from './define.ts';

export interface PoolOptions {
  /** 1 unless given. */
  stride?: number;
  /** How far windows reach over each border; less than the window's side. 0 unless given. */
  padding?: number;
}

function infer([x]: readonly Shape[], attrs: Attributes): Shape[] {
  const { size, stride, padding } = attrs as { size: number; stride: number; padding: number };
  if (x.length !== 4) throw new Error('pooling needs an NCHW image');
  // A window that lies in the padding as a whole would have no pixel.
  if (padding >= size) throw new Error(`padding ${padding} is not less than the window of ${size}`);
  const sides = x.slice(2).map((side) => Math.floor((side + 2 * padding - size) / stride) + 1);
  if (sides.some((side) => side < 1)) throw new Error('the window is larger than the padded image');
  return [[x[0], x[1], ...sides]];
}

const maxPoolOp = defineOp('maxPool2d', infer);
const averagePoolOp = defineOp('averagePool2d', infer);

/** Largest number of every `size` x `size` window of x [B, C, H, W]; rows and columns that fill no window are left out. */
export function maxPool2d(x: Tensor, size: number, { stride = 1, padding = 0 }: PoolOptions = {}): Tensor {
  return apply1(maxPoolOp, [x], { size, stride, padding });
}

/** Mean of every `size` x `size` window of x [B, C, H, W]; rows and columns that fill no window are left out. */
export function averagePool2d(x: Tensor, size: number, { stride = 1, padding = 0 }: PoolOptions = {}): Tensor {
  return apply1(averagePoolOp, [x], { size, stride, padding });
}
