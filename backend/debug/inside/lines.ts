/**
 * The listing inside a stage: a line per block, or per operation where there is no further block, in the order of computing. Values
 * have an id, `@12`, those of the iteration their name.
 */
import type { Node, Tensor } from '../../graph/graph.ts';
import { inputName, isInput, type StagePart, shownId } from './part.ts';

export interface InsideLine {
  readonly text: string;
  /** The block's; null for an operation. */
  readonly scope: string | null;
  readonly operations: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Lines of what lies in `scope`; '' for all of the stage. [] where there is no such block. */
export function linesOf(part: StagePart, scope: string): InsideLine[] {
  const groups: { key: string | null; nodes: Node[] }[] = [];
  for (const node of part.nodes) {
    if (!isIn(node, scope)) continue;
    const key = blockOf(node, scope);
    const last = groups.at(-1);
    if (last && key !== null && last.key === key) last.nodes.push(node);
    else groups.push({ key, nodes: [node] });
  }
  const about = new Set<Tensor>([...part.given.keys(), ...part.nodes.flatMap(({ outputs }) => outputs)]);
  const names = namesOf(part);
  const users = usersOf(part.nodes);
  const results = new Set(part.outputs.values());
  return groups.map(({ key, nodes }) => {
    const own = new Set(nodes);
    const made = nodes.flatMap(({ outputs }) => outputs);
    const used = new Set(nodes.flatMap(({ inputs }) => inputs));
    const inputs = [...used].filter((tensor) => !own.has(tensor.node) && (about.has(tensor) || isDrawn(part, tensor)));
    const goesOut = (tensor: Tensor) => results.has(tensor) || (users.get(tensor) ?? []).some((node) => !own.has(node));
    const outputs = made.filter((tensor) => goesOut(tensor) && tensor.type === 'float32');
    const label = (tensor: Tensor) => names.get(tensor) ?? shownId(tensor);
    const what = key ?? nodes[0]!.type.name;
    const text = `${outputs.map(label).join(', ')} = ${what}(${inputs.map(label).join(', ')})`;
    const inner = key === null ? null : scope === '' ? key : `${scope}.${key}`;
    return { text, scope: inner, operations: nodes.length, inputs, outputs };
  });
}

/** What a person knows values by: inputs, earlier tensors and the stage's own. */
export function namesOf(part: StagePart): Map<Tensor, string> {
  const names = new Map<Tensor, string>();
  for (const [name, tensor] of part.graph.inputs) names.set(tensor, name);
  for (const [tensor, name] of part.given) names.set(tensor, name);
  for (const [name, tensor] of part.outputs) names.set(tensor, name);
  return names;
}

/** An input that is there to be looked at, unlike weights. */
const isDrawn = (part: StagePart, tensor: Tensor) => isInput(tensor) && part.drawn(inputName(tensor));

const isIn = ({ scope: own }: Node, scope: string) => scope === '' || own === scope || own.startsWith(`${scope}.`);

/** The next word of a node's scope below this one; null where it lies in this one itself. */
function blockOf({ scope: own }: Node, scope: string): string | null {
  if (own === scope) return null;
  const rest = scope === '' ? own : own.slice(scope.length + 1);
  return rest.split('.')[0]!;
}

function usersOf(nodes: readonly Node[]): Map<Tensor, Node[]> {
  const users = new Map<Tensor, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const known = users.get(input);
      if (known) known.push(node);
      else users.set(input, [node]);
    }
  }
  return users;
}
