/**
 * Reverse-mode differentiation: extends a graph by the nodes that compute gradients. Only what lies between the seeds
 * and the wanted tensors is differentiated. Values inside a recomputation region are read from a second copy of the
 * region that runs when the gradient reaches it, so the first copy's memory is free in between; so are those of cheap-values.ts.
 */
import { CheapValues } from './cheap-values.ts';
import type { Node, Tensor } from './graph.ts';
import { add, mul } from './ops/elementwise.ts';
import { gradientRules } from './ops/gradient-rules.ts';
import { Recomputation } from './recompute.ts';
import { sizeOf } from './tensor-data.ts';

export interface Seed {
  readonly of: Tensor;
  /** d loss / d `of`; may be left out for a scalar, where it is 1. */
  readonly gradient?: Tensor;
}

/** The seeds of a loss times `scale` []: all gradients come out times it. */
export const scaledSeeds = (seeds: readonly Seed[], scale: Tensor): Seed[] =>
  seeds.map(({ of, gradient }) => ({ of, gradient: mul(gradient ?? scale.graph.constant(of.shape, [1]), scale) }));

/**
 * d loss / d wanted[i], each with the shape of wanted[i]. Throws when a wanted tensor does not influence any seed, since
 * a silent zero hides a wiring mistake.
 */
export function gradients(seeds: readonly Seed[] | Tensor, wanted: readonly Tensor[]): Tensor[] {
  const list: readonly Seed[] = 'node' in seeds ? [{ of: seeds }] : seeds;
  const graph = wanted[0].graph;
  const end = graph.nodes.length;
  const dependent = dependentTensors(graph.nodes, wanted);
  const pending = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, gradient: Tensor) => {
    const before = pending.get(tensor);
    pending.set(tensor, before ? add(before, gradient) : gradient);
  };
  for (const seed of list) {
    if (!seed.gradient && sizeOf(seed.of.shape) !== 1) throw new Error('only a scalar has an implied gradient of 1');
    accumulate(seed.of, seed.gradient ?? graph.constant(seed.of.shape, [1]));
  }
  const recomputation = new Recomputation(graph, () => wanted.flatMap((tensor) => pending.get(tensor) ?? []));
  const cheap = new CheapValues();
  for (let i = end - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    const incoming = node.outputs.map((output) => pending.get(output) ?? null);
    const needed = node.inputs.map((input) => dependent.has(input));
    if (!needed.includes(true) || incoming.every((gradient) => gradient === null)) continue;
    const rule = gradientRules[node.type.name];
    if (rule === null) continue;
    if (rule === undefined) throw new Error(`${node.type.name} in '${node.scope}' has no gradient rule`);
    const arrived = incoming.find((gradient) => gradient !== null)!;
    const view = cheap.view(recomputation.view(node, arrived), arrived);
    const results = graph.scope(`grad.${node.scope}`, () => rule(view, incoming, needed));
    results.forEach((gradient, k) => {
      if (gradient && needed[k]) accumulate(node.inputs[k], gradient);
    });
  }
  return wanted.map((tensor, i) => {
    const gradient = pending.get(tensor);
    if (!gradient) throw new Error(`wanted tensor ${i} [${tensor.shape}] has no influence on the loss`);
    return gradient;
  });
}

/** The wanted tensors and everything computed from them, as far as gradients flow. */
function dependentTensors(nodes: readonly Node[], wanted: readonly Tensor[]): Set<Tensor> {
  const dependent = new Set(wanted);
  for (const node of nodes) {
    if (gradientRules[node.type.name] === null || !node.inputs.some((input) => dependent.has(input))) continue;
    for (const output of node.outputs) dependent.add(output);
  }
  return dependent;
}
