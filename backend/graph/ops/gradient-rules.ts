/** The gradient rules of all operations. */
import { attentionGradients } from './attention.grad.ts';
import { convGradients } from './conv.grad.ts';
import { elementwiseGradients } from './elementwise.grad.ts';
import { embeddingGradients } from './embedding.grad.ts';
import type { GradientRules } from './gradient-rule.ts';
import { headAttentionGradients } from './head-attention.grad.ts';
import { layerNormGradients } from './layer-norm.grad.ts';
import { layoutGradients } from './layout.grad.ts';
import { matmulGradients } from './matmul.grad.ts';
import { normalizeGradients } from './normalize.grad.ts';
import { poolGradients } from './pool.grad.ts';
import { reduceGradients } from './reduce.grad.ts';
import { resampleGradients } from './resample.grad.ts';

export const gradientRules: GradientRules = {
  ...elementwiseGradients,
  ...reduceGradients,
  ...layoutGradients,
  ...matmulGradients,
  ...convGradients,
  ...resampleGradients,
  ...poolGradients,
  ...normalizeGradients,
  ...attentionGradients,
  ...layerNormGradients,
  ...embeddingGradients,
  ...headAttentionGradients,
  // The trigger of a recomputation barrier only orders execution.
  barrier: (_, [dy]) => [dy, null],
};
