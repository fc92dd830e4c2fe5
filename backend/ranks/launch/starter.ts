/**
 * The line from who started the ranks to rank 0: standard input, which launchers hand on. A word, or its end, is a wish that the run
 * stop, so that ranks stop in their own time and none outlives a starter that was killed.
 */
const variable = 'DMD_RANKS_STARTER';

/** For the environment of the ranks, on every machine. */
export const starterVariables: Readonly<Record<string, string>> = { [variable]: 'stdin' };

/** What the starter writes. */
export const stopWord = 'stop\n';

/** Whether standard input is such a line. */
export function hasStarter(env: Readonly<Record<string, string | undefined>>): boolean {
  return env[variable] === 'stdin';
}

/** Calls `stop` once, when the starter wants it or is gone. */
export function listenToStarter(stop: () => void): { dispose(): void } {
  const { stdin } = process;
  let heard = false;
  const once = () => {
    if (!heard) stop();
    heard = true;
  };
  const events = ['data', 'end', 'error'] as const;
  for (const event of events) stdin.on(event, once);
  return {
    dispose() {
      for (const event of events) stdin.off(event, once);
      // Else the process would wait for it.
      stdin.destroy();
    },
  };
}
