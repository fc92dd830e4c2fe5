/** Scores of a run under a microscope: what there is to inspect, and inspections of a checkpoint or of the run as it is. */
import { z } from '../config/zod.ts';
import { inspectionQuerySchema, inspectionSchema } from '../inspection.ts';
import { float64, path, request, step } from './define.ts';
import { tensorSchema } from './runs.ts';

const asked = z.object({
  /** Names it in `progress`. */
  id: z.string().min(1).max(100),
  folder: path,
});

export const inspectableSchema = z.object({
  /** Of the run's folder. */
  name: z.string(),
  /** Steps with a checkpoint, the newest first. */
  checkpoints: z.array(step),
  /** A process works there that can be asked. */
  live: z.boolean(),
  /** Why there is nothing to inspect but a running run; '' otherwise. */
  missing: z.string(),
  /** Of one sample, [C, H, W]. */
  shape: z.array(z.int()),
  /** Samples are latents, which a decoder makes pictures of. */
  latent: z.boolean(),
  /** sigma (and alpha) by index; `timesteps`: an index is a timestep. */
  levels: z.object({ sigma: float64, alpha: float64, timesteps: z.boolean() }),
  /** Indices that training draws from, inclusive. */
  range: z.tuple([z.int(), z.int()]),
  /** Names by class; [] for a network without. */
  classes: z.array(z.string()),
  /** The first prompts of the run; [] for a network of classes. */
  prompts: z.array(z.string()),
  /** How many images the run records. */
  samples: z.int(),
  probe: z.int(),
  probeLevels: z.array(z.int()),
  /** As the config has it. */
  weight: z.string(),
  guidance: z.number(),
});
export type Inspectable = z.infer<typeof inspectableSchema>;

/** Opens what the run's config names. Refused for runs that have no scores, in words. */
export const describeInspection = request('inspect/describe', asked, inspectableSchema, null);

/** `state`: a checkpoint by its step, or the run as it is, which answers between two iterations. */
export const inspectScores = request(
  'inspect/scores',
  asked.extend({ state: z.union([step, z.literal('live')]), query: inspectionQuerySchema }),
  inspectionSchema,
  null,
);

/** As many latents at once. */
export const mostDecoded = 128;

/** The pictures [N, 3, H, W] in [-1, 1] of latents [N, C, h, w], by the decoder that the run's config names. */
export const decodeLatents = request(
  'inspect/decode',
  asked.extend({
    latents: tensorSchema.refine(({ shape: [count = 0, ...rest] }) => count <= mostDecoded && rest.length === 3, {
      message: `at most ${mostDecoded} latents [N, C, h, w]`,
    }),
  }),
  tensorSchema,
  null,
);
