/** What can be asked about the scores of one image, and what is answered, whether a run or a checkpoint is asked. */
import { z } from './config/zod.ts';
import { seedSchema } from './rpc/images.ts';
import { tensorSchema } from './rpc/runs.ts';

const index = z.int().min(0).max(1e9);

/** Whose noise z: that of a seed as pictures are generated from it, or of an image that the run records. */
export const sampleSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('seed'), seed: seedSchema }),
  /** Of the grid under samples/. */
  z.object({ kind: z.literal('samples'), index }),
  /** Of the probe, whose noise eps is taken too: the recorded fields come again. */
  z.object({ kind: z.literal('probe'), index }),
]);
export type Sample = z.infer<typeof sampleSchema>;

/** A noise level as the person knows it. */
export const levelChoiceSchema = z.discriminatedUnion('by', [
  z.object({ by: z.literal('index'), value: index }),
  z.object({ by: z.literal('sigma'), value: z.number().positive() }),
  z.object({ by: z.literal('timestep'), value: index }),
]);
export type LevelChoice = z.infer<typeof levelChoiceSchema>;

export const mostLevels = 64;

export const inspectionQuerySchema = z.object({
  sample: sampleSchema,
  /** What the image is of; null: the sample's own, drawn from its seed or recorded with it. */
  condition: z.union([z.object({ class: index }), z.object({ prompt: z.string().max(10_000) })]).nullable(),
  level: levelChoiceSchema,
  /** Levels by index, ascending in noise, for the strip and the curves. */
  strip: z.array(index).max(mostLevels),
  /** How far x moves along -grad for `stepped`. */
  stepSize: z.number(),
});
export type InspectionQuery = z.infer<typeof inspectionQuerySchema>;

export const levelNumbersSchema = z.object({
  /** The level's place in training's ladder, or the nearest. */
  index: z.int().min(0),
  /** x_t = alpha x + sigma eps. */
  alpha: z.number(),
  sigma: z.number(),
  timestep: z.int().nullable(),
});
export type LevelNumbers = z.infer<typeof levelNumbersSchema>;

export const inspectionSchema = z.object({
  /** Iterations done in the state that was inspected. */
  step: z.int().min(0),
  class: z.int().nullable(),
  prompt: z.string().nullable(),
  level: levelNumbersSchema,
  /**
   * x, xt, muReal, muFake, grad, stepped [C, H, W]; weight [1], the factor of mu_fake - mu_real in grad. With guidance
   * muConditional, the real score's image without it. Of latents `decoded/...` [3, H, W] for x, muReal, muFake and stepped, and
   * `projection` [3, C + 1]: what makes colours of a latent's channels and 1.
   */
  tensors: z.array(tensorSchema),
  /** One per level of `strip`. */
  levels: z.array(levelNumbersSchema),
  /** xt, muReal, muFake, grad [L, C, H, W], and [L]: weight, cosine, residualRatio, and the norms listed in `curveNames`. */
  strip: z.array(tensorSchema),
  /** What a person should know of it. */
  notes: z.array(z.string()),
});
export type Inspection = z.infer<typeof inspectionSchema>;

/** Curves over the level: L2 norms of mu_real - x, mu_fake - x, mu_real - mu_fake and grad, and how the first two compare. */
export const curveNames = [
  'normReal',
  'normFake',
  'normDifference',
  'normGrad',
  'residualRatio',
  'cosine',
  'weight',
] as const;
export type CurveName = (typeof curveNames)[number];
