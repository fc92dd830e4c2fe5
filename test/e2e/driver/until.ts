/** Waiting for something that sends no event, such as a file or another process. */
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds between two questions, at least and at most; in between a twentieth of the time that it took so far. */
const [least, most] = [50, 500];

/**
 * Asks again and again until the answer is neither undefined, null nor false, and returns it: often at first, and then as rarely as
 * leaves the machine to what is waited for.
 * @throws Error naming `what` after `seconds`; and at once what `ask` throws
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  seconds = 120,
): Promise<Exclude<T, undefined | null | false>> {
  const begin = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, undefined | null | false>;
    }
    const waited = performance.now() - begin;
    if (waited > 1000 * seconds) throw new Error(`waited ${seconds} s for ${what}`);
    await pause(Math.min(most, Math.max(least, waited / 20)));
  }
}
