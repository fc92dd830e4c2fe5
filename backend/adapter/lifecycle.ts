/**
 * The requests that begin and end a session. A run that was launched waits until its breakpoints are set and ends with the session,
 * with a checkpoint; one that was attached to goes on when the session ends.
 */
import { z } from '../protocol/config/zod.ts';
import { runRequests } from '../protocol/run-requests.ts';
import { AdapterError } from './errors.ts';
import { checked, type Handlers } from './request.ts';
import { attachRun, attachSchema, launchRun, launchSchema, type ReachedRun } from './start-run.ts';
import type { Target } from './target.ts';

export function lifecycleHandlers(target: Target): Handlers {
  /** Whether to go on from the entry once the breakpoints are set. */
  let goes = false;
  const begin = async (
    title: string,
    reach: (signal: AbortSignal) => Promise<ReachedRun>,
    stop: boolean | null,
    signal: AbortSignal,
  ) => {
    if (target.begun) throw new AdapterError('startedAlready');
    await target.client.progress.during(title, signal, async (both) => target.begin(await reach(both), stop, both));
    target.client.tell('initialized');
    return undefined;
  };
  return {
    ...checked('launch', launchSchema, async (args, { signal }) => {
      const title = `Starting ${args.config ?? args.resume ?? 'a run'}`;
      await begin(title, (both) => launchRun(args, both), args.noDebug ? null : args.stopOnEntry, signal);
      goes = !args.stopOnEntry && !args.noDebug;
      return undefined;
    }),
    ...checked('attach', attachSchema, (args, { signal }) =>
      begin(`Attaching to ${args.run}`, () => attachRun(args), args.stopOnEntry, signal),
    ),
    configurationDone: async () => {
      await target.configured(goes);
      return undefined;
    },
    /** Ends the run in order, with a checkpoint: also one that was attached to, for somebody asked for it. */
    terminate: async () => {
      await end(target);
      return undefined;
    },
    ...checked(
      'disconnect',
      z.object({ terminateDebuggee: z.boolean().optional(), suspendDebuggee: z.boolean().default(false) }),
      async ({ terminateDebuggee = target.launched, suspendDebuggee }) => {
        if (!target.alive) return undefined;
        if (terminateDebuggee) await end(target);
        else if (suspendDebuggee) await pausedAlone(target);
        await target.leave();
        return undefined;
      },
    ),
  };
}

/** Resolves when the checkpoint is written; the run says itself that it has ended. */
async function end(target: Target): Promise<void> {
  if (target.alive) await target.debuggee.link.ask(runRequests.stop, {}).catch(() => {});
}

/** The run waits without a debugger, as with a pause of the monitor. */
async function pausedAlone(target: Target): Promise<void> {
  void target.debuggee.link.ask(runRequests.pause, {}).catch(() => {});
}
