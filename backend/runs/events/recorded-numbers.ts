/** What health rules read of a run, from its event files. */
import { numbersOf, type RecordedNumbers } from '../../health/numbers.ts';
import { readTags } from '../../health/tags.ts';
import { type History, readHistory } from './history.ts';

/** @param restartAt steps from here on are recorded anew; left out, everything counts */
export function recordedNumbers(history: History, restartAt = Number.POSITIVE_INFINITY): RecordedNumbers {
  return numbersOf(
    readTags.map((tag) => {
      const points = history.points('scalar', tag).filter(({ step }) => step < restartAt);
      return { tag, steps: points.map(({ step }) => step), values: points.map(({ value }) => value.value) };
    }),
  );
}

/** Of a run folder's event files. Throws UserError('io'); what is damaged counts as far as it is sound. */
export const recordedBefore = (events: string, restartAt?: number): RecordedNumbers =>
  recordedNumbers(readHistory(events).history, restartAt);
