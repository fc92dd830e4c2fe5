/** Several readings of one input: all are tried, whatever the others say. */
import { UserError } from '../../../backend/protocol/errors.ts';

/** @throws what is no UserError, else the last UserError where no reading came to an end */
export async function all(...readings: readonly (() => unknown)[]): Promise<void> {
  const refusals: UserError[] = [];
  for (const reading of readings) {
    try {
      await reading();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length === readings.length) throw refusals.at(-1);
}
