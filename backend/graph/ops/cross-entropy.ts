/** The cross entropy of a softmax, put together from other operations. */
import type { Tensor } from '../graph.ts';
import { add, detach, exp, log, mul, sub } from './elementwise.ts';
import { max, mean, sum } from './reduce.ts';

/** Mean over rows: logits [N, K] and what they should say, [N, K], each row of which sums to 1 -> []. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const row = { axes: [1], keepDims: true };
  const largest = detach(max(logits, row));
  const total = add(log(sum(exp(sub(logits, largest)), row)), largest);
  return mean(sub(total, sum(mul(logits, labels), row)));
}
