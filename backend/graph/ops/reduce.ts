/** Reductions over axes, and the sum back to a broadcast operand's shape. */
import type { Attributes, OpType, Shape, Tensor } from '../graph.ts';
import { normalizeAxes, reducedShape, sameShape } from '../shapes.ts';
import { apply1, defineOp } from './define.ts';
import { reshape } from './layout.ts';

interface ReduceOptions {
  /** Axes to reduce; all when left out. Negative axes count from the end. */
  axes?: readonly number[];
  /** Keep reduced axes with size 1. */
  keepDims?: boolean;
}

function infer([x]: readonly Shape[], attrs: Attributes): Shape[] {
  return [reducedShape(x, attrs.axes as number[], attrs.keepDims as boolean)];
}

function reduction(name: string): (x: Tensor, options?: ReduceOptions) => Tensor {
  const type: OpType = defineOp(name, infer);
  return (x, { axes = x.shape.map((_, i) => i), keepDims = false } = {}) =>
    apply1(type, [x], { axes: normalizeAxes(axes, x.shape.length), keepDims });
}

export const sum = reduction('sum');
export const mean = reduction('mean');
export const max = reduction('max');

/** Sums `x` over the axes along which `shape` was broadcast to it. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  const reduced = axes.length > 0 ? sum(x, { axes, keepDims: true }) : x;
  return reshape(reduced, shape);
}
