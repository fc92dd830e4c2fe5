/**
 * Where a number that is not finite came from: the stage is computed again value by value, and from the tensor that shows it one
 * walks back, along values that show it too, to the operation whose inputs do not. Values that are infinite on purpose and lead to
 * finite ones, such as a mask, are not met on that way.
 */
import { type Engine, type Feed, isDeviceTensor } from '../../engine/engine.ts';
import type { Node, Tensor } from '../../graph/graph.ts';
import type { Origin, TensorLine } from '../../protocol/debug-requests.ts';
import { UserError } from '../../protocol/errors.ts';
import { HeldTensor } from '../held.ts';
import { allFinite } from '../statistics.ts';
import type { Standing } from '../stop.ts';
import { namesOf } from './lines.ts';
import { inputName, isInput, partOf, type StagePart, shownId } from './part.ts';
import { compute, walk } from './walk.ts';

const sliceNumbers = 2 ** 22;

/** @param name the tensor to look for it in; the stage's first one that is not finite. Throws UserError('usage', 'cancelled') */
export async function firstBad(
  engine: Engine,
  stop: Standing,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Origin> {
  const { between, place } = stop;
  const stage = place.stage ?? '';
  if (!between) throw new UserError('usage', 'no stage is done yet', 'Step to the first one.');
  if (!between.origin) {
    const drawn = name ?? (await firstOf(between.names, async (one) => !(await finite(between.tensor(one)))));
    if (drawn === undefined) throw allFiniteHere(stage);
    const note = `'${stage}' computes nothing: ${drawn} came with what was drawn, or was changed`;
    return { stage, tensor: drawn, operation: null, note };
  }
  const part = partOf(between);
  const surfaced = name ?? (await firstOf(part.outputs.keys(), async (one) => !(await finite(between.tensor(one)))));
  if (surfaced === undefined) throw allFiniteHere(stage);
  const end = part.outputs.get(surfaced);
  if (!end) {
    const note = `${surfaced} is not of '${stage}': go back to the stage that made it`;
    return { stage, tensor: surfaced, operation: null, note };
  }
  const node = await firstNode(engine, part, end, signal);
  if (!node) {
    const note = `computed again, ${surfaced} is finite: it was changed by hand, or the device does not repeat itself`;
    return { stage, tensor: surfaced, operation: null, note };
  }
  return { stage, tensor: surfaced, ...(await described(engine, part, node, signal)) };
}

const allFiniteHere = (stage: string) =>
  new UserError('usage', `all numbers of '${stage}' are finite`, 'Ask at the stage that shows one that is not.');

/** The first node on the way to `end` that shows such a number; an input where it was fed one. Null: none does. */
async function firstNode(engine: Engine, part: StagePart, end: Tensor, signal: AbortSignal): Promise<Node | null> {
  const bad = new Set<Tensor>();
  await walk(engine, part, {
    isWanted: ({ type }) => type === 'float32',
    signal,
    visit: async (tensor, value) => {
      if (!(await finite(value))) bad.add(tensor);
      return false;
    },
  });
  const inputs = new Set([...part.given.keys(), ...part.nodes.flatMap(({ inputs: own }) => own).filter(isInput)]);
  for (const tensor of inputs) if (!(await finite(fedTo(part, tensor)))) bad.add(tensor);
  if (!bad.has(end)) return null;
  const onTheWay = new Set<Tensor>([end]);
  const open = [end];
  for (let tensor = open.pop(); tensor; tensor = open.pop()) {
    if (part.given.has(tensor)) continue;
    for (const input of tensor.node.inputs) {
      if (!bad.has(input) || onTheWay.has(input)) continue;
      onTheWay.add(input);
      open.push(input);
    }
  }
  const fed = [...onTheWay].find((tensor) => part.given.has(tensor) || isInput(tensor));
  if (fed) return fed.node;
  return part.nodes.find(({ outputs }) => outputs.some((output) => onTheWay.has(output))) ?? null;
}

function fedTo(part: StagePart, tensor: Tensor): Feed {
  return part.value(part.given.get(tensor) ?? inputName(tensor));
}

/** The node with what went in and came out; weights among it, which are looked at only here. */
async function described(
  engine: Engine,
  part: StagePart,
  node: Node,
  signal: AbortSignal,
): Promise<Pick<Origin, 'operation' | 'note'>> {
  const names = namesOf(part);
  const known =
    node.outputs.find((output) => part.given.has(output)) ?? (node.type.name === 'input' ? node.outputs[0] : undefined);
  if (known) return fedWith(names.get(known)!, fedTo(part, known), signal);
  const values = await compute(engine, part, [...node.inputs.filter(isComputed(part)), ...node.outputs]);
  try {
    const line = (tensor: Tensor): Promise<TensorLine> => {
      const value = values.get(tensor) ?? fedTo(part, tensor);
      return new HeldTensor(names.get(tensor) ?? shownId(tensor), value, false).line(true, signal);
    };
    const inputs: TensorLine[] = [];
    for (const input of new Set(node.inputs)) if (input.type === 'float32') inputs.push(await line(input));
    const weights = inputs.find(({ statistics }) => statistics && bads(statistics) > 0);
    if (weights) {
      const [fed] = [...weightsOf(node)].filter((tensor) => !part.given.has(tensor));
      const value = fed && fedTo(part, fed);
      if (fed && value && !(await finite(value))) return fedWith(inputName(fed), value, signal);
    }
    const output = await line(node.outputs[0]!);
    const operation = { operation: node.type.name, scope: node.scope, inputs, output };
    const where = node.scope === '' ? '' : ` in ${node.scope}`;
    return { operation, note: `${node.type.name}${where} made it of finite numbers` };
  } finally {
    for (const value of values.values()) value.dispose();
  }
}

async function fedWith(name: string, value: Feed, signal: AbortSignal): Promise<Pick<Origin, 'operation' | 'note'>> {
  const output = await new HeldTensor(name, value, false).line(true, signal);
  const note = `${name} held such a number before this stage`;
  return { operation: { operation: 'input', scope: name, inputs: [], output }, note };
}

const isComputed = (part: StagePart) => (tensor: Tensor) =>
  !part.given.has(tensor) && !isInput(tensor) && tensor.type === 'float32';

const bads = ({ nan, positiveInfinity, negativeInfinity }: NonNullable<TensorLine['statistics']>) =>
  nan + positiveInfinity + negativeInfinity;

/** The inputs of the graph behind a node. */
function weightsOf(node: Node, found = new Set<Tensor>(), seen = new Set<Node>()): Set<Tensor> {
  if (seen.has(node)) return found;
  seen.add(node);
  for (const input of node.inputs) {
    if (isInput(input)) found.add(input);
    else weightsOf(input.node, found, seen);
  }
  return found;
}

async function finite(value: Feed): Promise<boolean> {
  if (!isDeviceTensor(value)) return allFinite(value.data);
  for await (const slice of value.slices(sliceNumbers)) if (!allFinite(slice)) return false;
  return true;
}

async function firstOf(names: Iterable<string>, fits: (name: string) => Promise<boolean>): Promise<string | undefined> {
  for (const name of names) if (await fits(name)) return name;
  return undefined;
}
