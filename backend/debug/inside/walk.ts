/**
 * Values inside a stage, computed again from what it was computed from. A stage is cut into pieces, so that no more of its values
 * than these bytes are there at once besides what later pieces need.
 */
import type { DeviceTensor, Engine, Feed } from '../../engine/engine.ts';
import type { Node, Tensor } from '../../graph/graph.ts';
import { cutGraph, neededNodes } from '../../graph/rest-graph.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import { inputName, isInput, type StagePart, shownId } from './part.ts';

const pieceBytes = 2 ** 27;
/** Outputs of one program. */
const pieceValues = 256;

/** Looks at a value. @returns true: it takes the value over, and keeps it at least as long as the walk lasts */
type Visit = (tensor: Tensor, value: DeviceTensor) => Promise<boolean>;

/** Computes the stage and shows those of its values that are wanted, in order. @param limit bytes of wanted values in a piece */
export async function walk(
  engine: Engine,
  part: StagePart,
  {
    isWanted,
    visit,
    signal,
    limit = pieceBytes,
  }: {
    readonly isWanted: (tensor: Tensor) => boolean;
    readonly visit: Visit;
    readonly signal: AbortSignal;
    readonly limit?: number;
  },
): Promise<void> {
  const pieces = piecesOf(part.nodes, isWanted, limit);
  const lastUse = new Map<Tensor, number>();
  pieces.forEach((nodes, i) => {
    for (const { inputs } of nodes) for (const input of inputs) lastUse.set(input, i);
  });
  const there = new Map<Tensor, DeviceTensor>();
  const taken = new Set<Tensor>();
  try {
    for (const [i, nodes] of pieces.entries()) {
      signal.throwIfAborted();
      const made = nodes.flatMap(({ outputs }) => outputs).filter(({ type }) => type === 'float32');
      const wanted = made.filter((tensor) => isWanted(tensor) || (lastUse.get(tensor) ?? i) > i);
      if (wanted.length === 0) continue;
      const values = await compute(engine, part, wanted, there);
      for (const tensor of wanted) there.set(tensor, values.get(tensor)!);
      for (const tensor of wanted.filter(isWanted)) if (await visit(tensor, there.get(tensor)!)) taken.add(tensor);
      for (const [tensor, value] of there) {
        if ((lastUse.get(tensor) ?? -1) > i) continue;
        if (!taken.has(tensor)) value.dispose();
        there.delete(tensor);
      }
    }
  } finally {
    for (const [tensor, value] of there) if (!taken.has(tensor)) value.dispose();
  }
}

/** Computes these values at once; each is the caller's. Those that are there already are not computed again. */
export async function compute(
  engine: Engine,
  part: StagePart,
  wanted: readonly Tensor[],
  there: ReadonlyMap<Tensor, DeviceTensor> = new Map(),
): Promise<Map<Tensor, DeviceTensor>> {
  const known = new Map<Tensor, string>([
    ...part.given,
    ...[...there.keys()].map((tensor) => [tensor, shownId(tensor)] as const),
  ]);
  const nodes = neededNodes(part.graph, wanted, known);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const given = new Map([...known].filter(([tensor]) => used.has(tensor)));
  const outputs = new Map(wanted.map((tensor) => [`value${tensor.id}`, tensor] as const));
  const feeds: Record<string, Feed> = {};
  for (const [tensor, name] of given) feeds[name] = there.get(tensor) ?? part.value(name);
  for (const tensor of used) if (isInput(tensor)) feeds[inputName(tensor)] = part.value(inputName(tensor));
  const program = await engine.compile(cutGraph(part.graph, given, outputs), { name: 'values inside a stage' });
  try {
    const results = await program.run(feeds);
    return new Map([...outputs].map(([name, tensor]) => [tensor, results[name]!]));
  } finally {
    await program.dispose();
  }
}

function piecesOf(nodes: readonly Node[], isWanted: (tensor: Tensor) => boolean, limit: number): Node[][] {
  const pieces: Node[][] = [];
  let [bytes, values] = [Number.POSITIVE_INFINITY, 0];
  for (const node of nodes) {
    const own = node.outputs.filter(isWanted);
    const size = own.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    if (bytes + size > limit || values + own.length > pieceValues) {
      pieces.push([]);
      [bytes, values] = [0, 0];
    }
    pieces.at(-1)!.push(node);
    bytes += size;
    values += own.length;
  }
  return pieces;
}
