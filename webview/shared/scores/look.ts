/** How score sets are looked at: what a person chose, and what a panel keeps of it when its page goes. */
import { z } from '../../../backend/protocol/config/zod.ts';

export const lookSchema = z.object({
  channels: z.union([z.enum(['together', 'apart']), z.int().min(0)]).default('together'),
  /** `each`: every picture its own scale; `row`: one for all that are signed. */
  scale: z.enum(['each', 'row']).default('each'),
  /** Images as pictures, or as signed numbers like the rest. */
  images: z.enum(['pictures', 'numbers']).default('pictures'),
  /** Ends that were fixed, by field; `row` is that of all. */
  ends: z.record(z.string(), z.number().positive()).default({}),
});
export type Look = z.infer<typeof lookSchema>;

export const firstLook: Look = { channels: 'together', scale: 'each', images: 'pictures', ends: {} };
