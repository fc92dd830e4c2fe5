/** `text` of a distillation: what a text-to-image teacher needs beside the keys that every teacher has. */
import { choice, recomputeWords, whole } from './common.ts';
import { z } from './zod.ts';

const rank = (what: string) =>
  whole(0, 'rank')
    .default(0)
    .describe(`${what}: rank of low-rank adapters on the attention projections; 0 trains all weights. Default 0.`);

export const textSection = z
  .strictObject({
    prompts: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A text file (UTF-8, or UTF-16 with its mark) with one prompt per line; JSON, JSON lines, CSV or TSV with ' +
          'promptColumn; or scenes: captions of the built-in captioned scenes.',
      ),
    promptColumn: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Key or column of the file that holds the prompts, e.g. TEXT in the lists of LAION; a number from 1 on counts the ' +
          'columns of a table whose first line does not name them. Default: the file has one prompt per line.',
      ),
    count: whole(1, 'prompts')
      .optional()
      .describe(
        'Prompts to use: the first ones of the file, or captions to draw. Default: all of them; 20000 captions.',
      ),
    guidance: z
      .number()
      .min(1)
      .default(3)
      .describe('Scale of classifier-free guidance on the real score; 1 none. Default 3 (paper; its other model 8).'),
    pairGuidance: z
      .number()
      .min(1)
      .optional()
      .describe("Scale of guidance for the pairs that the teacher's sampler makes. Default: that of the real score."),
    regressionSpace: choice({
      latent: 'The latents themselves; costs nothing.',
      image: 'The decoded images, as in the paper; the decoder runs forward and backward in every iteration.',
    })
      .default('latent')
      .describe('Where the regression loss compares; lpips needs image. Default latent (paper: image).'),
    decoder: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Folder of the autoencoder that decodes for the regression, such as a tiny one (taesd). Default: the teacher's.",
      ),
    recompute: choice(recomputeWords)
      .optional()
      .describe(
        'Kept for old files, where it counts; the key is now `recompute`, outside of `text`. Default: as that says.',
      )
      .meta({ deprecated: true }),
    teacherPrecision: choice({
      float32: 'As the networks in training.',
      float16: 'Half the memory for the frozen teacher: rounded to float16, computed with in float32.',
    })
      .default('float32')
      .describe('Numbers of the frozen teacher. Default float32.'),
    lora: z
      .strictObject({ generator: rank('The generator'), fake: rank('The fake score') })
      .prefault({})
      .describe('Low-rank adapters in place of training all weights: memory for a bit of freedom.'),
  })
  .prefault({})
  .describe('For a text-to-image teacher (a diffusers folder): prompts, guidance, and what saves memory.');
