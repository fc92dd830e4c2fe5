/** What remains of a graph once some of its outputs are given: they become inputs, and the other outputs follow from them. */
import { Graph, inputOp, type Node, type Tensor } from './graph.ts';

/**
 * The outputs of `graph` that are not named by `given`, as a graph whose inputs are those named and whatever else it needs of the
 * inputs before. A given output's own computing is left out wherever nothing else rests on it.
 */
export function restGraph(graph: Graph, given: readonly string[]): Graph {
  const known = new Map(given.map((name) => [graph.outputs.get(name)!, name] as const));
  return cutGraph(graph, known, new Map([...graph.outputs].filter(([name]) => !given.includes(name))));
}

/**
 * A part of `graph`: `wanted`, by name, from the tensors of `given`, which become inputs of those names, and from whatever else it
 * needs of the inputs before. Nothing wanted is given.
 */
export function cutGraph(graph: Graph, given: ReadonlyMap<Tensor, string>, wanted: ReadonlyMap<string, Tensor>): Graph {
  const rest = new Graph();
  rest.computes = graph.computes;
  const copies = new Map<Tensor, Tensor>();
  for (const [tensor, name] of given) copies.set(tensor, rest.input(name, tensor.shape, tensor.type));
  for (const node of neededNodes(graph, [...wanted.values()], copies)) {
    const own = copyOf(rest, node, copies);
    node.outputs.forEach((output, i) => {
      if (!copies.has(output)) copies.set(output, own[i]!);
    });
  }
  for (const [name, tensor] of wanted) rest.output(name, copies.get(tensor)!);
  return rest;
}

function copyOf(rest: Graph, { type: op, inputs, attrs, scope, outputs }: Node, copies: ReadonlyMap<Tensor, Tensor>) {
  if (op === inputOp) {
    const [{ shape, type }] = outputs as [Tensor];
    return [rest.input(attrs.name as string, shape, type)];
  }
  const own = inputs.map((input) => copies.get(input)!);
  return scope === '' ? rest.apply(op, own, attrs) : rest.scope(scope, () => rest.apply(op, own, attrs));
}

/** In the graph's order, those that `wanted` rests on besides what is there already. */
export function neededNodes(
  { nodes }: Graph,
  wanted: readonly Tensor[],
  there: { has(tensor: Tensor): boolean },
): Node[] {
  const needed = new Set(wanted.filter((tensor) => !there.has(tensor)).map(({ node }) => node));
  for (const node of [...nodes].reverse()) {
    if (!needed.has(node)) continue;
    for (const input of node.inputs) if (!there.has(input)) needed.add(input.node);
  }
  return nodes.filter((node) => needed.has(node));
}
