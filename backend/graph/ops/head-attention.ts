/**
 * Attention with several heads over tokens [B, L, C], the channels of a head side by side, as transformers have it. The
 * softmax weights are no output: with 4096 tokens and eight heads they are half a gigabyte. The gradient computes them again.
 */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { apply1, defineOp } from './define.ts';

function infer([q, k, v]: readonly Shape[], attrs: Attributes): Shape[] {
  const heads = attrs.heads as number;
  if (q.length !== 3 || k.length !== 3 || v.length !== 3)
    throw new Error('attention over tokens needs [B, L, C] tensors');
  if (q[0] !== k[0] || k[0] !== v[0]) throw new Error('batch sizes differ');
  if (q[2] !== k[2]) throw new Error(`queries have ${q[2]} channels, keys ${k[2]}`);
  if (k[1] !== v[1]) throw new Error(`${k[1]} keys but ${v[1]} values`);
  if (q[2] % heads !== 0 || v[2] % heads !== 0) throw new Error(`channels do not divide into ${heads} heads`);
  if (attrs.causal && q[1] !== k[1]) throw new Error('causal attention needs as many queries as keys');
  return [[q[0], q[1], v[2]]];
}

export const headAttentionOp = defineOp('headAttention', infer);
/** Inputs q, k, v, result, d loss / d result; outputs the gradients of q, k, v. */
export const headAttentionGradOp = defineOp('headAttentionGrad', ([q, k, v]) => [q, k, v]);

export interface HeadAttentionOptions {
  readonly heads: number;
  /** 1/sqrt(channels per head) unless given. */
  readonly scale?: number;
  /** A token sees only itself and those before it. */
  readonly causal?: boolean;
}

/** softmax(scale q k^T) v for each head: q [B, Lq, C], k [B, Lk, C], v [B, Lk, Cv] -> [B, Lq, Cv]. */
export function headAttention(q: Tensor, k: Tensor, v: Tensor, options: HeadAttentionOptions): Tensor {
  const { heads, scale = 1 / Math.sqrt(q.shape[2] / heads), causal = false } = options;
  return apply1(headAttentionOp, [q, k, v], { heads, scale, causal });
}
