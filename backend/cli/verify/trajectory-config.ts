/** What a trajectory case says about itself, and what an iteration reports. */
import { z } from 'zod';
import { guidanceSchema } from './guidance.ts';

export const configSchema = z.looseObject({
  iterations: z.int().min(1),
  batch: z.int().min(1),
  /** Pairs per iteration; 0 leaves the regression out. */
  batch_ref: z.int().nonnegative().default(0),
  /** G(z) = D(sigma_max z; conditioning_sigma). */
  sigma_max: z.number().positive(),
  conditioning_sigma: z.number().positive(),
  lambda: z.number().nonnegative().default(0),
  optimizer: z.looseObject({
    name: z.literal('AdamW'),
    lr: z.number().nonnegative(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number().positive(),
    weight_decay: z.number().nonnegative(),
  }),
  guidance: guidanceSchema,
});
export type TrajectoryConfig = z.infer<typeof configSchema>;

/** What one iteration reports, under the reference data's names. */
export type IterationScalars = Readonly<Record<string, number>>;
