/** What a starter and the run process say to each other, once each: over IPC, or, where it is several ranks, by order.ts. */
import { configSchema } from '../../protocol/config/index.ts';
import { z } from '../../protocol/config/zod.ts';
import { paceSchema } from '../../protocol/rpc/runs.ts';
import { errorMessageSchema } from '../../protocol/run-messages.ts';

/** To the process: what to run. */
export const orderSchema = z.object({
  request: z.object({
    start: z.union([z.object({ config: configSchema, root: z.string() }), z.object({ folder: z.string() })]),
    set: z.array(z.string()).readonly(),
    half: z.boolean(),
    until: z.int().optional(),
    debug: z.boolean().optional(),
    pace: paceSchema.optional(),
  }),
  /** Where its output goes before there is a run folder; it moves the file there. null: it is there already. */
  log: z.string().nullable(),
});
export type Order = z.input<typeof orderSchema>;

/** From the process: the run is there, or why it cannot be. */
export const answerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('opened'), folder: z.string(), contact: z.string() }),
  z.object({ type: z.literal('failed'), error: errorMessageSchema }),
]);
export type Answer = z.infer<typeof answerSchema>;
