/** The pairs that a run makes for itself. */
import { OtherPairs } from '../../data/pairs.ts';

/**
 * They are made once: where the run's teacher, prompts or the like were changed on purpose since, those that are there stay
 * in use.
 * @returns a warning that says so, or ''
 * @throws UserError of every kind; OtherPairs when they are not finished
 */
export async function ownPairs(make: () => Promise<unknown>): Promise<string> {
  try {
    await make();
    return '';
  } catch (error) {
    if (!(error instanceof OtherPairs && error.finished)) throw error;
    return `${error.message}; they stay in use`;
  }
}
