/** The part of a graph that a stage stands for: what it computes, and from what. */
import type { Feed } from '../../engine/engine.ts';
import type { Graph, Node, Tensor } from '../../graph/graph.ts';
import { neededNodes } from '../../graph/rest-graph.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Between } from '../../training/iteration.ts';

export interface StagePart {
  readonly graph: Graph;
  /** Of an earlier stage, by their names in the graph. */
  readonly given: ReadonlyMap<Tensor, string>;
  /** The stage's own tensors, by their names in the iteration. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /**
   * In order, those that depend on what the stage is about: on earlier tensors and on what was drawn. What only weights and
   * constants lead to is left out.
   */
  readonly nodes: readonly Node[];
  /** Whether an input of the graph is of those, rather than a weight. */
  drawn(input: string): boolean;
  /** The value of an input of the graph, or of what is given. */
  value(name: string): Feed;
}

/** What has a name at all: weights have theirs in the network, not here. */
export const isInput = (tensor: Tensor) => tensor.node.type.name === 'input';
export const inputName = (tensor: Tensor) => tensor.node.attrs.name as string;
export const shownId = (tensor: Tensor) => `@${tensor.id}`;

/** Throws UserError('usage') for a stage without a graph. */
export function partOf(between: Between): StagePart {
  const { origin, stage } = between;
  if (!origin) {
    const hint = 'Step to the next line, or back to the one before.';
    throw new UserError('usage', `'${stage}' computes nothing that could be entered`, hint);
  }
  const { graph, fed } = origin;
  const given = new Map(origin.given.map((name) => [graph.outputs.get(name)!, name] as const));
  const outputs = new Map(origin.outputs.map((name) => [origin.tensorOf(name), graph.outputs.get(name)!] as const));
  const nodes = neededNodes(graph, [...outputs.values()], given);
  const drawn = (name: string) => !Object.hasOwn(fed, name);
  const inputs = [...graph.inputs.keys()];
  // An update is about what it is fed: it has nothing else.
  const isAbout = given.size > 0 || inputs.some(drawn) ? drawn : () => true;
  return {
    ...{ graph, given, outputs, drawn: isAbout, nodes: dependent(nodes, given, isAbout) },
    value: (name) => fed[name] ?? between.tensor(graph.inputs.has(name) ? name : origin.tensorOf(name)),
  };
}

function dependent(
  nodes: readonly Node[],
  given: ReadonlyMap<Tensor, string>,
  isAbout: (input: string) => boolean,
): Node[] {
  const found = new Set<Tensor>(given.keys());
  return nodes.filter((node) => {
    const input = node.type.name === 'input';
    const depends = input ? isAbout(node.attrs.name as string) : node.inputs.some((tensor) => found.has(tensor));
    if (depends) for (const output of node.outputs) found.add(output);
    return depends && !input;
  });
}
