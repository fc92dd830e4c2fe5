/**
 * Signals to a run: the first stops it after its step, the second ends its thread as soon as that leaves native code,
 * which a thread cannot be torn out of; the third ends the process, as does too long a wait.
 */
import { hasStarter, listenToStarter } from '../../ranks/launch/starter.ts';
import type { LiveRun } from '../../runs/live/live-run.ts';
import { endAtOnce, listenForStop, outputIsOptional } from '../terminal.ts';

/** What the second signal waits for, at most. */
const patienceSeconds = 15;

export interface RunStop {
  /** Listens no longer. */
  dispose(): void;
  /** Whether the run was ended in the middle of a step. */
  ended(): boolean;
}

/** @param onStopping called for the first signal; `why` is '' for Ctrl-C */
export function stopOnSignals(run: LiveRun, onStopping: (why: string) => void): RunStop {
  let signals = 0;
  let timer: NodeJS.Timeout | undefined;
  outputIsOptional();
  const listening = listenForStop((why) => {
    signals += 1;
    if (signals === 1) {
      onStopping(why);
      run.stop();
      run.hurry();
    } else if (signals === 2) {
      timer = setTimeout(endAtOnce, patienceSeconds * 1000);
      void run.kill();
    } else endAtOnce();
  });
  const starter = hasStarter(process.env)
    ? listenToStarter(() => {
        onStopping('');
        run.stop();
      })
    : undefined;
  return {
    dispose() {
      clearTimeout(timer);
      listening.dispose();
      starter?.dispose();
    },
    ended: () => signals > 1,
  };
}
