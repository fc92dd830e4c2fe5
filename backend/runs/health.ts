/** A run folder's health, from its event files; of runs without numbers for it also from recorded fields. */
import { evaluate } from '../health/evaluate.ts';
import type { RecordedNumbers } from '../health/numbers.ts';
import { unjudgedRules } from '../health/rules/index.ts';
import { batchTags } from '../health/tags.ts';
import type { Verdict } from '../health/verdict.ts';
import { type BatchTensors, batchVitals } from '../methods/dmd/vitals/batch.ts';
import { UserError } from '../protocol/errors.ts';
import { readHistory } from './events/history.ts';
import { recordedNumbers } from './events/recorded-numbers.ts';
import { listFields, readFields } from './fields/fields.ts';
import { eventsIn } from './folder/event-folder.ts';
import { runPaths } from './folder/run-folder.ts';

export interface Examination {
  /** The last step with a recorded number. */
  readonly step: number;
  readonly verdicts: readonly Verdict[];
  /** What could not be looked at, since nothing of it is recorded: titles of rules. */
  readonly unjudged: readonly string[];
}

/** @throws UserError('data') for a folder without event files, 'io' */
export function examine(folder: string): Examination {
  const paths = runPaths(folder);
  const { history } = readHistory(eventsIn(folder));
  if (history.tags('scalar').length === 0) {
    const hint = 'Name a run folder, or one with TensorBoard event files (events.out.tfevents...).';
    throw new UserError('data', `${folder} has no recorded numbers`, hint);
  }
  const numbers = recordedNumbers(history);
  if (!numbers.has(Object.values(batchTags))) addFields(numbers, paths.fields);
  return { step: numbers.lastStep, verdicts: evaluate(numbers), unjudged: unjudgedRules(numbers) };
}

/** What a run of before recorded of its batches as fields. A file that cannot be read counts as not recorded. */
function addFields(numbers: RecordedNumbers, folder: string): void {
  for (const { step } of listFields(folder, 'training')) {
    const { tensors } = readIfSound(folder, step) ?? {};
    const [x, muReal, muFake, grad] = ['x', 'muReal', 'muFake', 'grad'].map((name) => tensors?.get(name));
    const sigma = tensors?.get('sigma');
    if (!x || !muReal || !grad || !sigma) continue;
    const batch = { x, muReal, muFake: muFake ?? x, grad, sigma, alpha: tensors?.get('alpha') ?? null };
    if (isBatch(batch)) numbers.add(step, batchVitals(batch));
  }
}

/** Whether the tensors have the shapes of one batch: a file says what it likes, such as a thousand million samples of nothing. */
function isBatch({ x, muReal, muFake, grad, sigma, alpha }: BatchTensors): boolean {
  const [count = 0] = x.shape;
  const asMany = [muReal, muFake, grad].every(({ data }) => data.length === x.data.length);
  const levels = [sigma, ...(alpha ? [alpha] : [])].every(({ data }) => data.length === count);
  return count > 0 && x.data.length >= count && asMany && levels;
}

function readIfSound(folder: string, step: number) {
  try {
    return readFields(folder, 'training', step);
  } catch {
    return undefined;
  }
}
