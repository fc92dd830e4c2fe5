/**
 * The score watch: expressions for what a distillation step of a person's own program computes, read at every stop. The host has
 * the expressions, which it keeps for the workspace, and the last stops; the page shows them.
 */
import { z } from '../config/zod.ts';
import { nothing, notification, request } from '../rpc/define.ts';
import { arrayValueSchema } from '../values/value.ts';
import { expressionSchema, stopSchema } from './value.ts';

/** The last three are numbers, one for all or one per sample; a weight may also be an array like the others. */
export const scoreRoles = ['x', 'xt', 'real', 'fake', 'weight', 'alpha', 'sigma'] as const;
export type ScoreRole = (typeof scoreRoles)[number];

const size = z.int().min(0);
/** An empty one is not read. */
export const scoreExpressionsSchema = z.object({
  ...{ x: expressionSchema, xt: expressionSchema, real: expressionSchema, fake: expressionSchema },
  ...{ weight: expressionSchema, alpha: expressionSchema, sigma: expressionSchema },
});
export type ScoreExpressions = z.infer<typeof scoreExpressionsSchema>;

export const scoreSettingsSchema = z.object({
  expressions: scoreExpressionsSchema,
  /** Which of a batch. */
  sample: size,
  /** Which on the axes after it, such as a video's frames. */
  frame: size,
  /** Read at every stop. */
  follow: z.boolean(),
});
export type ScoreSettings = z.infer<typeof scoreSettingsSchema>;

const readingSchema = z.union([
  z.object({
    /** `numbers` are of the sample: [channels, height, width], or one. */
    value: arrayValueSchema,
    ...{ channels: size, height: size, width: size },
    /** Every n-th row and column. */
    step: z.int().min(1),
  }),
  z.object({ problem: z.string(), hint: z.string() }),
]);
export type ScoreReading = z.infer<typeof readingSchema>;

const partial = Object.fromEntries(scoreRoles.map((role) => [role, readingSchema.optional()]));
export const scoreStopSchema = z.object({
  id: size,
  stop: stopSchema,
  sample: size,
  /** Milliseconds from the first question to the last answer. */
  took: z.number(),
  readings: z.object(partial as Record<ScoreRole, z.ZodOptional<typeof readingSchema>>),
});
export type ScoreStop = z.infer<typeof scoreStopSchema>;

/** The page's first question. From now on news come, and the program is read at every stop. */
export const readScores = request(
  'score/view',
  z.object({}),
  z.object({ settings: scoreSettingsSchema, stops: z.array(scoreStopSchema), now: stopSchema.nullable() }),
);
/** Read anew with them when the program is stopped. */
export const setScores = request('score/set', scoreSettingsSchema, nothing);
export const forgetStops = request('score/forget', z.object({}), nothing);

/** In the place of the one with the same id, or after all others. */
export const stopRead = notification('score/read', z.object({ stop: scoreStopSchema }));
/** The program stands there, is read, or runs on (null). */
export const programAt = notification('score/at', z.object({ now: stopSchema.nullable(), reading: z.boolean() }));

/** As many stops are kept, and as many numbers in all (64 MiB). */
export const mostStops = 24;
export const mostKeptNumbers = 1 << 24;

/** What the page keeps for its next life: which stop is looked at (null: the last), and how. */
export const scorePageStateSchema = z.object({
  chosen: size.nullable(),
  look: z.unknown(),
  formOpen: z.boolean(),
});
export type ScorePageState = z.infer<typeof scorePageStateSchema>;
