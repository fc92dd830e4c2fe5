/** The matrix product that other lowerings are made of. */
import type { OnnxWriter } from '../writer.ts';

interface ProductOptions {
  transA?: boolean;
  transB?: boolean;
  rank?: number;
  /** Factor on the result. */
  alpha?: number;
}

/** alpha * op(a) @ op(b) over the last two of `rank` axes. */
export function product(writer: OnnxWriter, a: string, b: string, options: ProductOptions): string {
  const { transA = false, transB = false, rank = 3, alpha = 1 } = options;
  if (rank === 2) {
    return writer.op('Gemm', [a, b], { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } });
  }
  if (writer.has('FusedMatMul')) {
    const attributes = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } };
    return writer.ortOp('FusedMatMul', [a, b], attributes);
  }
  const perm = [...Array(rank).keys()];
  perm.push(...perm.splice(rank - 2, 2).reverse());
  const result = writer.op('MatMul', [transA ? writer.transpose(a, perm) : a, transB ? writer.transpose(b, perm) : b]);
  return alpha === 1 ? result : writer.op('Mul', [result, writer.scalar(alpha)]);
}
