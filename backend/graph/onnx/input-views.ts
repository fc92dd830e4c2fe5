/**
 * Inputs of which a graph takes ranges alone, as it does of parameters that lie in one buffer: a session may be fed the ranges, as they lie
 * there, in place of copying each at every run.
 */
import type { Graph, Node } from '../graph.ts';
import type { NumberType } from '../tensor-data.ts';

/** Numbers [from, from + count) of an input, as an input of its own. */
export interface InputView {
  readonly name: string;
  /** Whose numbers they are. */
  readonly input: string;
  readonly from: number;
  readonly count: number;
  readonly type: NumberType;
}

/** By the nodes whose result they are. @param nodes that are lowered */
export function inputViews({ inputs, outputs }: Graph, nodes: readonly Node[]): ReadonlyMap<Node, InputView> {
  const flat = new Set([...inputs].flatMap(([name, { shape }]) => (shape.length === 1 ? [name] : [])));
  // By name: what is recomputed for a gradient has nodes of its own for the same input.
  const inputOf = ({ type, attrs }: Node) => (type.name === 'input' ? (attrs.name as string) : '');
  for (const { node } of outputs.values()) flat.delete(inputOf(node));
  for (const { type, inputs: read } of nodes) {
    if (type.name !== 'slice') for (const { node } of read) flat.delete(inputOf(node));
  }
  const views = nodes.flatMap((node): [Node, InputView][] => {
    const [source] = node.inputs;
    const input = source ? inputOf(source.node) : '';
    if (!flat.has(input)) return [];
    const [[from], [to]] = [node.attrs.starts, node.attrs.ends] as [[number], [number]];
    return [[node, { name: `${input}[${from}:${to}]`, input, from, count: to - from, type: source!.type }]];
  });
  return new Map(views);
}
