/** Gradient of the table look-up; the ids have none. */
import { embeddingGrad } from './embedding.ts';
import { type GradientRules, rule1 } from './gradient-rule.ts';

export const embeddingGradients: GradientRules = {
  embedding: rule1(({ inputs: [table, ids] }, dy, needed) => [
    needed[0] ? embeddingGrad(ids, dy, table.shape) : null,
    null,
  ]),
};
