/** The captioned scenes as training data: one or two shapes on a ground, 64 x 64 pixels, with a caption each. */
import { whole } from './common.ts';
import { z } from './zod.ts';

export const captionedData = (count: number) =>
  z
    .strictObject({
      source: z
        .literal('captioned-scenes')
        .default('captioned-scenes')
        .describe('captioned-scenes: pictures with captions, drawn when needed. Default captioned-scenes.'),
      seed: whole(0, '').default(0).describe('Which scenes: another seed is another set of the same kind. Default 0.'),
      count: whole(1, 'images').default(count).describe(`How many of them. Default ${count}.`),
    })
    .prefault({})
    .describe(
      'Training images with their captions; combinations that are held out for measuring are never among them.',
    );
