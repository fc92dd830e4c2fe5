/** Matrix products over the last two axes, with optional transposition of either side. */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { broadcastShapes } from '../shapes.ts';
import { apply1, defineOp } from './define.ts';
import { add } from './elementwise.ts';

interface MatmulOptions {
  transA?: boolean;
  transB?: boolean;
}

function infer([a, b]: readonly Shape[], attrs: Attributes): Shape[] {
  if (a.length < 2 || b.length < 2) throw new Error('a matrix product needs at least two axes on both sides');
  const [m, k] = attrs.transA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [k2, n] = attrs.transB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (k !== k2) throw new Error(`inner sizes ${k} and ${k2} differ`);
  return [[...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), m, n]];
}

const matmulOp = defineOp('matmul', infer);

/** op(a) @ op(b); leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor, { transA = false, transB = false }: MatmulOptions = {}): Tensor {
  return apply1(matmulOp, [a, b], { transA, transB });
}

/** x [N, in] @ weight [out, in]^T + bias [out], as torch.nn.Linear stores it. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const y = matmul(x, weight, { transB: true });
  return bias ? add(y, bias) : y;
}
