/**
 * `kind: "teach-text-encoder"`: training a text encoder as CLIP trains it, on captioned images, before a text-to-image teacher
 * begins with it, as Stable Diffusion begins with CLIP's. It learns what every word means before a picture has to be made of it.
 */
import { captionedData, vocabularyKeys } from './captioned.ts';
import { checkpointKey, every, runKeys, whole } from './common.ts';
import { textEncoderSchema } from './diffusers.ts';
import { updateKeys } from './update-keys.ts';
import { z } from './zod.ts';

export const teachTextEncoderSchema = z.strictObject({
  kind: z.literal('teach-text-encoder').describe('Train the text encoder of a text model.'),
  ...runKeys,
  data: captionedData(1_000_000),
  ...vocabularyKeys('Default: one made from the captions.'),
  text_encoder: textEncoderSchema,
  image_encoder: z
    .strictObject({
      channels: z
        .array(whole(1, 'channels'))
        .min(1)
        .max(5)
        .default([32, 64, 128])
        .describe('Channels of its layers: the first takes patches of 4x4 pixels, each further one halves the image.'),
      norm_num_groups: whole(1, 'groups')
        .default(8)
        .describe('Groups of its group normalisations; they divide each channel count. Default 8.'),
    })
    .prefault({})
    .describe('The image encoder that it is trained beside: a small convolutional network, of no use afterwards.'),
  embedding: whole(1, 'numbers').default(64).describe('Numbers of an embedding of image or text. Default 64.'),
  ...updateKeys({ iterations: 1000, batch: 128 }),
  record: z
    .strictObject({
      measureEvery: every(100, 'Measure on held-out images how many choose their own text'),
      measured: whole(2, 'images')
        .default(256)
        .describe('Images that are measured, each choosing among the texts of all. Default 256.'),
      histogramsEvery: every(1000, "Record histograms of the networks' weights and gradient"),
    })
    .prefault({})
    .describe('What is recorded beside the loss curve, which has every iteration.'),
  checkpoint: checkpointKey,
});

export type TeachTextEncoderConfig = z.infer<typeof teachTextEncoderSchema>;
