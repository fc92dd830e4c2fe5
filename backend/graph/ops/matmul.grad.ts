/** Gradients of the matrix product. */
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { matmul } from './matmul.ts';
import { sumTo } from './reduce.ts';

export const matmulGradients: GradientRules = {
  matmul: rule1((node, dy, needed) => {
    const [a, b] = node.inputs;
    const { transA, transB } = node.attrs as { transA: boolean; transB: boolean };
    const da = () => (transA ? matmul(b, dy, { transA: transB, transB: true }) : matmul(dy, b, { transB: !transB }));
    const db = () => (transB ? matmul(dy, a, { transA: true, transB: transA }) : matmul(a, dy, { transA: !transA }));
    return [needed[0] ? sumTo(da(), a.shape) : null, needed[1] ? sumTo(db(), b.shape) : null];
  }),
};
