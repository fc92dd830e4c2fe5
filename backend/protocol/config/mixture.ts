/** `mixture`: data of a distillation in the plane, Gaussians whose scores are known exactly, so that no teacher's errors are in the way. */
import { whole } from './common.ts';
import { z } from './zod.ts';

/** `teacher` of a config that has the section: the mixture's exact denoiser. */
export const mixtureTeacher = 'builtin:mixture';

/** More modes than this make nothing clearer, and every one costs time in every call. */
const mostModes = 1000;

const point = z.tuple([z.number().min(-100).max(100), z.number().min(-100).max(100)]);

export const mixtureSection = z
  .strictObject({
    modes: z
      .array(point)
      .min(1)
      .max(mostModes)
      .describe('Centres [x, y] of the Gaussians, all equally likely; the networks expect coordinates of about 1.'),
    std: z
      .number()
      .positive()
      .max(100)
      .meta({ unit: 'data units' })
      .default(0.1)
      .describe('Standard deviation of every Gaussian along both axes. Default 0.1.'),
    stds: z
      .array(z.number().positive().max(100).meta({ unit: 'data units' }))
      .min(1)
      .max(mostModes)
      .optional()
      .describe('Standard deviation of each Gaussian, in the place of std: as many as modes.'),
    start: z
      .strictObject({
        centre: point.default([0, 0]).describe('Where the samples begin. Default [0, 0].'),
        std: z
          .number()
          .positive()
          .max(100)
          .meta({ unit: 'data units' })
          .default(0.05)
          .describe('How far they are spread there. Default 0.05.'),
      })
      .prefault({})
      .describe('The blob that the untrained generator makes: Figure 3 begins with one that is nearest to one mode.'),
    width: whole(4, 'numbers')
      .max(1024)
      .default(64)
      .describe('Width of the two residual blocks of generator and fake score. Default 64.'),
  })
  .describe(`Data in the plane with exact scores, as in Figure 3; needs "teacher": "${mixtureTeacher}".`);

export type MixtureConfig = z.infer<typeof mixtureSection>;
