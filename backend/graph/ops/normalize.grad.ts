/** Gradient of group normalisation, from its own outputs: the input need not be kept. */
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { groupNormGradOp } from './normalize.ts';

export const normalizeGradients: GradientRules = {
  groupNorm: rule1(({ inputs: [x, scale], outputs: [, centred, inverseStd], attrs }, dy) =>
    x.graph.apply(groupNormGradOp, [centred, inverseStd, scale, dy], { groups: attrs.groups }),
  ),
};
