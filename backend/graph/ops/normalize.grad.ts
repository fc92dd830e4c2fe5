/** Gradient of group normalisation, from its own outputs: the input need not be kept. */
import { apply1 } from './define.ts';
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { normalizeGroupsGradOp } from './normalize.ts';

export const normalizeGradients: GradientRules = {
  normalizeGroups: rule1(({ outputs: [normalized, inverseStd], attrs }, dy) => [
    apply1(normalizeGroupsGradOp, [normalized, inverseStd, dy], attrs),
  ]),
};
