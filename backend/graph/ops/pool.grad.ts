/** Pooling is for networks that are only evaluated: gradients end there. */
import type { GradientRules } from './gradient-rule.ts';

export const poolGradients: GradientRules = { maxPool2d: null, averagePool2d: null };
