/** When to free what was kept ready for a next time that did not come. */

/** Models that nobody used for so long are freed: a training wants the memory. */
const idleMilliseconds = 10 * 60_000;

/** Calls `act` when nothing was under way for a while after something was. */
export function idleTimer(act: () => Promise<void>) {
  let timer: NodeJS.Timeout | undefined;
  let under = 0;
  return {
    async during<T>(work: () => Promise<T>): Promise<T> {
      clearTimeout(timer);
      under++;
      try {
        return await work();
      } finally {
        under--;
        if (under === 0) {
          timer = setTimeout(() => void act().catch(() => {}), idleMilliseconds);
          timer.unref();
        }
      }
    },
    stop: () => clearTimeout(timer),
  };
}
