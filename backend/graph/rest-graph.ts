/** What remains of a graph once some of its outputs are given: they become inputs, and the other outputs follow from them. */
import { Graph, inputOp, type Node, type Tensor } from './graph.ts';

/**
 * The outputs of `graph` that are not named by `given`, as a graph whose inputs are those named and whatever else it needs of the
 * inputs before. A given output's own computing is left out wherever nothing else rests on it.
 */
export function restGraph(graph: Graph, given: readonly string[]): Graph {
  const rest = new Graph();
  const copies = new Map<Tensor, Tensor>();
  for (const name of given) {
    const tensor = graph.outputs.get(name)!;
    copies.set(tensor, rest.input(name, tensor.shape, tensor.type));
  }
  const wanted = [...graph.outputs].filter(([name]) => !given.includes(name));
  for (const node of neededNodes(
    graph,
    wanted.map(([, tensor]) => tensor),
    copies,
  )) {
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
function neededNodes({ nodes }: Graph, wanted: readonly Tensor[], there: ReadonlyMap<Tensor, Tensor>): Node[] {
  const needed = new Set(wanted.filter((tensor) => !there.has(tensor)).map(({ node }) => node));
  for (const node of [...nodes].reverse()) {
    if (!needed.has(node)) continue;
    for (const input of node.inputs) if (!there.has(input)) needed.add(input.node);
  }
  return nodes.filter((node) => needed.has(node));
}
