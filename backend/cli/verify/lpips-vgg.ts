/** Kind `lpips-vgg`: perceptual distances of image pairs, their layers and gradients, with weights from a formula. */
import { z } from 'zod';
import { gradients } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { add, mul, sum } from '../../graph/ops/index.ts';
import { constantParameters } from '../../graph/parameters.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import { lpips, lpipsLayers, lpipsLayout } from '../../nets/index.ts';
import { type Case, damaged } from './case.ts';
import { formulaRules, formulaWeights, type WeightRule } from './formula-weights.ts';
import type { Kind } from './kind.ts';
import { runOnce } from './run-once.ts';

const configSchema = z.looseObject({
  net: z.literal('vgg'),
  version: z.literal('0.1'),
  lpips: z.literal(true),
  spatial: z.literal(false),
});

export const lpipsVgg: Kind = async ({ case: theCase, engine }) => {
  theCase.part(configSchema, theCase.json.config, 'config');
  const first = theCase.input('image0', [-1, 3, -1, -1]);
  const second = theCase.input('image1', first.shape);
  const scales = linearScales(theCase);
  const weights = formulaWeights(theCase, lpipsLayout.entries, (name, shape) => weightRule(name, shape, scales));

  const graph = new Graph();
  const source = constantParameters(graph, weights);
  const [a, b] = [graph.input('image0', first.shape), graph.input('image1', first.shape)];
  const unitRange = (image: Tensor) => mul(add(image, 1), 0.5);
  const distance = lpips(source, a, b);
  const results: Record<string, () => Tensor> = {
    distance: () => distance,
    per_layer: () => lpipsLayers(source, a, b),
    distance_same: () => lpips(source, a, a),
    distance_normalize: () => lpips(source, unitRange(a), unitRange(b), { normalize: true }),
    grad_image0: () => gradients(sum(distance), [a])[0],
    grad_image1: () => gradients(sum(distance), [b])[0],
  };
  for (const [name, result] of Object.entries(results)) if (theCase.expects(name)) graph.output(name, result());
  return { arrays: await runOnce(engine, graph, { image0: first, image1: second }), scalars: new Map() };
};

function weightRule(name: string, [, ...rest]: readonly number[], scales: readonly number[]): WeightRule {
  const linear = /^lin(\d+)/.exec(name);
  if (linear) return (u) => (scales[Number(linear[1])] * 2 * u) / rest[0];
  if (name.endsWith('.bias')) return (u) => 0.2 * (u - 0.5);
  const bound = Math.sqrt(6 / sizeOf(rest));
  return (u) => (2 * u - 1) * bound;
}

/** The factors s_K of the linear layers, which the rule gives in words: 's = 1, 8, 32, 128, 256 for K = 0..4'. */
function linearScales(theCase: Case): number[] {
  const rule = formulaRules(theCase)['linK.model.1.weight'] ?? '';
  const [, list] = /\bs = ([\d.]+(?:, [\d.]+)*)/.exec(rule) ?? [];
  if (!list) throw damaged(`${theCase.name}: weight_formula.rules does not give the scales of the linear layers`);
  return list.split(', ').map(Number);
}
