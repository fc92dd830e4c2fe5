/**
 * Softmax attention as a single op with its own gradient. Layout is channels first, [N, D, L], as EDM's 1x1
 * convolutions produce it: N = batch * heads, D channels per head, L positions.
 */
import type { Shape, Tensor } from '../graph.ts';
import { apply1, defineOp, sameAsFirst } from './define.ts';

function inferAttention([q, k, v]: readonly Shape[]): Shape[] {
  if (q.length !== 3 || k.length !== 3 || v.length !== 3) throw new Error('attention needs [N, D, L] tensors');
  if (q[0] !== k[0] || k[0] !== v[0]) throw new Error('batch sizes differ');
  if (q[1] !== k[1]) throw new Error(`queries have ${q[1]} channels, keys ${k[1]}`);
  if (k[2] !== v[2]) throw new Error(`${k[2]} keys but ${v[2]} values`);
  return [
    [q[0], v[1], q[2]],
    [q[0], q[2], k[2]],
  ];
}

/** Outputs: result [N, Dv, Lq], and the softmax weights [N, Lq, Lk] that the gradient needs. */
export const attentionOp = defineOp('attention', inferAttention);
/** Inputs q, k, v, weights, d loss / d result; outputs the gradients of q, k, v. */
export const attentionGradOp = defineOp('attentionGrad', ([q, k, v]) => [q, k, v]);
const softmaxOp = defineOp('softmax', sameAsFirst);

/** softmax(q^T k * scale) applied to v; q, k [N, D, L], v [N, Dv, Lk]. `scale` is 1/sqrt(D) unless given. */
export function attention(q: Tensor, k: Tensor, v: Tensor, scale = 1 / Math.sqrt(q.shape[1])): Tensor {
  return q.graph.apply(attentionOp, [q, k, v], { scale })[0];
}

/** Softmax over the last axis. */
export const softmax = (x: Tensor) => apply1(softmaxOp, [x]);
