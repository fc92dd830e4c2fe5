/** Gradient of layer normalisation, from its input and the statistics it saved. */
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { layerNormGradOp } from './layer-norm.ts';

export const layerNormGradients: GradientRules = {
  layerNorm: rule1(({ inputs: [x, scale], outputs: [, average, inverseStd] }, dy) =>
    x.graph.apply(layerNormGradOp, [x, average, inverseStd, scale, dy], {}),
  ),
};
