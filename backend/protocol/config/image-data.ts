/** Images to train on, by whatever kind of run: where they come from and how they are made to fit. */
import { choice, whole } from './common.ts';
import { z } from './zod.ts';

export const imageDataKeys = {
  source: z
    .string()
    .min(1)
    .default('scenes')
    .describe(
      "scenes (drawn when needed), or a path: a folder or .zip in EDM's layout, a folder of IDX files, or a file of pictures " +
        'of theirs, its labels beside it. Default scenes.',
    ),
  fit: choice({
    none: 'They must have that size and kind of colour already.',
    pad: 'Black is added around them: 28 pixels become 32.',
    resize: 'They are stretched or shrunk to that size.',
  })
    .default('none')
    .describe(
      'How pictures become those of the network, img_resolution wide and high with img_channels; gray and colours become ' +
        'one another too. Default none.',
    ),
  seed: whole(0, '').default(0).describe('Which scenes: another seed is another set of the same kind. Default 0.'),
  count: whole(0, 'images')
    .default(0)
    .describe('Use the first so many images; 0 all of a data set, 1000000 of scenes. Default 0.'),
};

export const mirrorKey = z
  .boolean()
  .default(false)
  .describe("Also the mirrored image of each, as EDM's xflip. Default false.");
