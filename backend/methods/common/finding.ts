/** What is wrong with a config that is sound by itself, key by key. */
import { describeError } from '../../files/describe-error.ts';
import { errorCode } from '../../files/disk.ts';
import { UserError } from '../../protocol/errors.ts';

/** A problem with the value of a key. */
export interface Finding {
  /** Dotted. */
  readonly key: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** What a person is meant to read becomes a finding; undefined then. */
export async function guarded<T>(
  found: Finding[],
  keyOf: (message: string) => string,
  open: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    // A system's refusal that nobody has put in words yet is no bug: any path can stand in a config.
    if (!(error instanceof UserError) && !errorCode(error)) throw error;
    const { message, hint } = describeError(error);
    found.push({ key: keyOf(message), severity: 'error', message: `${message} ${hint}`.trim() });
    return undefined;
  }
}
