/** How a network is taught, whichever it is: how many updates, of how many images, by which optimizer. */
import { emaKey, optimizerKeys, whole } from './common.ts';
import { z } from './zod.ts';

export const updateKeys = (usual: { readonly iterations: number; readonly batch: number }) => ({
  iterations: whole(1, 'updates').default(usual.iterations).describe(`Updates. Default ${usual.iterations}.`),
  batch: whole(1, 'images').default(usual.batch).describe(`Images per micro-batch. Default ${usual.batch}.`),
  accumulation: whole(1, 'micro-batches')
    .default(1)
    .describe('Micro-batches per update, averaged: batch x accumulation images per update. Default 1.'),
  optimizer: z.strictObject(optimizerKeys(1e-3)).prefault({}).describe('AdamW.'),
  ema: emaKey(0.999),
});
