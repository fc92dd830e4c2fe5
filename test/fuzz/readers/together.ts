/** Several readings of one input: all are tried, whatever the others say. */
import { UserError } from '../../../backend/protocol/errors.ts';

/** @throws what is no UserError, else the last UserError */
export async function all(...readings: readonly (() => unknown)[]): Promise<void> {
  let refusal: UserError | undefined;
  for (const reading of readings) {
    try {
      await reading();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal = error;
    }
  }
  if (refusal) throw refusal;
}
