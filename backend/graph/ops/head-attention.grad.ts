/** Gradient of attention over tokens, from its inputs and its result. */
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { headAttentionGradOp } from './head-attention.ts';

export const headAttentionGradients: GradientRules = {
  headAttention: rule1(({ inputs: [q, k, v], outputs: [y], attrs }, dy) =>
    q.graph.apply(headAttentionGradOp, [q, k, v, y, dy], attrs),
  ),
};
