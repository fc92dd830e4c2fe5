/**
 * Requests beyond the debug protocol, for the editor's own commands at a stop: skip the update, go back to a checkpoint, a tensor for a
 * picture, and where the run stands.
 */
import { z } from '../protocol/config/zod.ts';
import { debugRequests } from '../protocol/debug-requests.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

export function extraHandlers(target: Target): Handlers {
  return {
    ...checked(
      'dmd/skipUpdate',
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
    'dmd/checkpoints': async (_, { signal }) => ({
      steps: await target.debuggee.ask(debugRequests['debug/checkpoints'], {}, signal),
    }),
    ...checked('dmd/rollBack', z.object({ step: z.int().min(0) }), async ({ step }) => {
      await target.go({ to: 'checkpoint', step });
      return { step };
    }),
    /** `expression`: a tensor's name or anything that comes to one; its numbers as float32 in base64, little-endian. */
    ...checked('dmd/tensor', z.object({ expression: z.string() }), async ({ expression }, { signal }) => {
      const { debuggee, client, stop } = target;
      const { step, stage } = stop;
      return client.progress.during(`Reading ${expression}`, signal, async (both) => {
        const value = await debuggee.ask(debugRequests['debug/evaluate'], { expression, assigns: false }, both);
        const at = { step, stage, expression };
        if (!value.tensor) return { ...at, shape: [], data: base64(Float32Array.of(value.number ?? Number.NaN)) };
        const { tensor } = await debuggee.ask(
          debugRequests['debug/tensor'],
          { tensor: value.tensor.name, path: [] },
          both,
        );
        return { ...at, shape: [...tensor.shape], data: base64(tensor.data) };
      });
    }),
    /** Of the run and of the stop; `stop` null while it computes. */
    'dmd/place': () => {
      const { folder } = target.debuggee;
      if (!target.stopped) return { folder, stop: null };
      const { step, micro, stage, reason, rule } = target.stop;
      return { folder, stop: { step, micro, stage, reason, rule } };
    },
    /** The listing that this session debugs, which `set` may have made another than its config's. */
    'dmd/listing': () => ({ uri: target.source.uri, text: target.source.text }),
  };
}

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');
