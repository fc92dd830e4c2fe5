/** The kinds of models that `dmd eval` can measure. */
import type { Contestant, ContestantOpener, OpenOptions } from './contestant.ts';
import { openEdm } from './edm-contestant.ts';
import { openText } from './text-contestant.ts';

/** Asked in turn; the last one takes every name, and says what is wrong with it. */
const openers: readonly ContestantOpener[] = [openText, openEdm];

/** Throws UserError that names the model. */
export async function openContestant(name: string, options: OpenOptions): Promise<Contestant> {
  for (const open of openers) {
    const contestant = await open(name, options);
    if (contestant) return contestant;
  }
  throw new Error('the last opener takes every name');
}
