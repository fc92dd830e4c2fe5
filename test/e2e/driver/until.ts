/** Waiting for something that sends no event, such as a file or another process. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks every 50 ms until the answer is neither undefined, null nor false, and returns it.
 * @throws Error naming `what` after `seconds`; and at once what `ask` throws
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  seconds = 120,
): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await pause(50);
  }
}
