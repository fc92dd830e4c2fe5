/** Resampling up and down are each other's adjoint. */
import { apply1 } from './define.ts';
import { type GradientRules, rule1 } from './gradient-rule.ts';
import { downsample2Op, upsample2Op } from './resample.ts';

export const resampleGradients: GradientRules = {
  downsample2: rule1((node, dy) => [apply1(upsample2Op, [dy], node.attrs)]),
  upsample2: rule1((node, dy) => [apply1(downsample2Op, [dy], node.attrs)]),
};
