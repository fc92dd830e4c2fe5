/** How large a request to a run may be: whoever asks finds out before it is sent, and whoever sends it all the same is answered. */
import { UserError } from '../../protocol/errors.ts';

/** Bytes of its frame. Requests are short. */
export const largestRequest = 2 ** 16;

export function requestTooLarge(bytes: number): UserError {
  const message = `the request has ${bytes} bytes, and a run takes at most ${largestRequest} at a time`;
  return new UserError('usage', message, 'Ask for less at a time, in a shorter expression.');
}
