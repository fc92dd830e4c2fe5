/**
 * Two-dimensional convolution (cross-correlation, as in every framework), NCHW images and OIHW kernels. Its two
 * gradients are ops of their own, so that engines can pick the fastest form for each.
 */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { apply1, defineOp } from './define.ts';

export interface ConvOptions {
  stride?: number;
  /** Zeros around the image: one number, or [top, left, bottom, right]. */
  padding?: number | readonly [number, number, number, number];
  groups?: number;
}

function outputSize(size: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((size + padding - kernel) / stride) + 1;
}

function inferConv([x, w, b]: readonly Shape[], attrs: Attributes): Shape[] {
  if (x.length !== 4 || w.length !== 4) throw new Error('a convolution needs an NCHW image and an OIHW kernel');
  const { stride, groups } = attrs as { stride: number; groups: number };
  const [top, left, bottom, right] = attrs.padding as number[];
  if (x[1] !== w[1] * groups) throw new Error(`image has ${x[1]} channels, kernel wants ${w[1] * groups}`);
  if (w[0] % groups !== 0) throw new Error(`${w[0]} output channels do not divide into ${groups} groups`);
  if (b && (b.length !== 1 || b[0] !== w[0])) throw new Error(`bias must have ${w[0]} numbers`);
  const height = outputSize(x[2], w[2], stride, top + bottom);
  const width = outputSize(x[3], w[3], stride, left + right);
  if (height < 1 || width < 1) throw new Error('the kernel is larger than the padded image');
  return [[x[0], w[0], height, width]];
}

const declared = (_: readonly Shape[], attrs: Attributes) => [attrs.shape as number[]];

/** Inputs: image, kernel and, if there are three, bias. */
export const conv2dOp = defineOp('conv2d', inferConv);
/** d loss / d image (attribute `shape`) from (d loss / d output, kernel). Linear in both. */
export const conv2dInputGradOp = defineOp('conv2dInputGrad', declared);
/** d loss / d kernel (attribute `shape`) from (image, d loss / d output). Linear in both. */
export const conv2dWeightGradOp = defineOp('conv2dWeightGrad', declared);

/** x [B, C, H, W] with weight [O, C/groups, kh, kw] and optional bias [O]. */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null, options: ConvOptions = {}): Tensor {
  const p = options.padding ?? 0;
  const attrs = {
    stride: options.stride ?? 1,
    padding: typeof p === 'number' ? [p, p, p, p] : [...p],
    groups: options.groups ?? 1,
  };
  return apply1(conv2dOp, bias ? [x, weight, bias] : [x, weight], attrs);
}
