/** A stage from within: its lines with the values that go in and out, computed again, to be looked at only. */
import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../graph/graph.ts';
import type { TensorLine } from '../../protocol/debug-requests.ts';
import { UserError } from '../../protocol/errors.ts';
import type { HeldTensors } from '../held.ts';
import type { Standing } from '../stop.ts';
import { linesOf } from './lines.ts';
import { inputName, isInput, partOf, type StagePart, shownId } from './part.ts';
import { walk } from './walk.ts';

/** More lines than a person reads. */
const mostLines = 2000;

export interface Inside {
  readonly title: string;
  readonly lines: {
    readonly text: string;
    readonly scope: string | null;
    readonly operations: number;
    readonly inputs: TensorLine[];
    readonly outputs: TensorLine[];
  }[];
}

/** Throws UserError('usage') for a stage that cannot be entered or a block that is not in it, UserError('cancelled') */
export async function insideOf(engine: Engine, stop: Standing, scope: string, signal: AbortSignal): Promise<Inside> {
  const { between, held, place } = stop;
  if (!between) throw new UserError('usage', 'no stage is done yet', 'Step to the first one.');
  const part = partOf(between);
  const lines = linesOf(part, scope).slice(0, mostLines);
  if (lines.length === 0) {
    throw new UserError('usage', `'${place.stage}' has no block ${JSON.stringify(scope)}`, 'Enter one that it lists.');
  }
  const wanted = new Set(lines.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  await showValues(engine, part, held, wanted, signal);
  const lined = async (tensors: readonly Tensor[]) => {
    const found: TensorLine[] = [];
    for (const tensor of tensors) found.push(await heldOf(part, held, tensor).line(false, signal));
    return found;
  };
  const shown: Inside['lines'] = [];
  for (const { inputs, outputs, ...line } of lines) {
    shown.push({ ...line, inputs: await lined(inputs), outputs: await lined(outputs) });
  }
  return { title: scope === '' ? `${place.stage}` : `${place.stage}: ${scope}`, lines: shown };
}

/** Computes what is not there yet. */
async function showValues(
  engine: Engine,
  part: StagePart,
  held: HeldTensors,
  wanted: ReadonlySet<Tensor>,
  signal: AbortSignal,
): Promise<void> {
  const isMissing = (tensor: Tensor) => wanted.has(tensor) && !held.find(shownId(tensor));
  if (!part.nodes.some(({ outputs }) => outputs.some(isMissing))) return;
  await walk(engine, part, {
    isWanted: isMissing,
    signal,
    visit: async (tensor, value) => {
      held.show(shownId(tensor), value);
      return true;
    },
  });
}

/** Earlier tensors and inputs are there by their names, which may be of the graph alone. */
function heldOf(part: StagePart, held: HeldTensors, tensor: Tensor) {
  const known = part.given.get(tensor) ?? (isInput(tensor) ? inputName(tensor) : undefined);
  if (known === undefined) return held.get(shownId(tensor));
  return held.find(known) ?? held.lend(known, part.value(known));
}
