/**
 * Requests beyond the debug protocol, for the editor's own commands at a stop: skip the update, go back to a checkpoint, and where
 * the run stands. Values for pictures are read-value.ts.
 */
import { z } from '../protocol/config/zod.ts';
import { debugRequests } from '../protocol/debug-requests.ts';
import { traceOf } from './origin.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

export function extraHandlers(target: Target): Handlers {
  return {
    ...checked(
      'dmdSkipUpdate',
      z.object({ networks: z.array(z.string()).optional() }),
      async ({ networks }, { signal }) => {
        const { step } = target.stop;
        const skipped = networks ?? target.debuggee.attached?.networks ?? [];
        await target.debuggee.ask(debugRequests['debug/skip'], { networks: skipped }, signal);
        const words = skipped.length === 0 ? 'updates everything again' : `leaves ${skipped.join(' and ')} as before`;
        target.say('console', `step ${step} ${words}`);
        return { step, networks: skipped };
      },
    ),
    /** The operation that first made a number that is not finite; `trace` from it outwards. */
    dmdOrigin: async (_, { signal }) => {
      const { stage } = target.stop;
      const origin = await target.client.progress.during('Looking for the first operation', signal, (both) =>
        target.debuggee.ask(debugRequests['debug/origin'], {}, both),
      );
      const trace = traceOf(origin, stage);
      target.say('important', `${origin.note}\n${trace}`);
      return { note: origin.note, trace };
    },
    dmdCheckpoints: async (_, { signal }) => ({
      steps: await target.debuggee.ask(debugRequests['debug/checkpoints'], {}, signal),
    }),
    ...checked('dmdRollBack', z.object({ step: z.int().min(0) }), async ({ step }) => {
      await target.go({ to: 'checkpoint', step });
      return { step };
    }),
    /** Of the run and of the stop; `stop` null while it computes. */
    dmdPlace: () => {
      const { folder } = target.debuggee;
      if (!target.stopped) return { folder, stop: null };
      const { step, micro, stage, reason, rule } = target.stop;
      return { folder, stop: { step, micro, stage, reason, rule } };
    },
    /** The listing that this session debugs, which `set` may have made another than its config's. */
    dmdListing: () => ({ uri: target.source.uri, text: target.source.text }),
  };
}
