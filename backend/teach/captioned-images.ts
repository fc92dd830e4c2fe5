/** Captioned scenes as a run reads them: training images by step, and held-out ones to look at. */
import { type CaptionedBatch, captionedBatch } from '../data/captioned/captioned-batch.ts';
import type { TeachAutoencoderConfig } from '../protocol/config/index.ts';
import { stream } from '../random/stream.ts';

export type CaptionedConfig = Pick<TeachAutoencoderConfig, 'seed' | 'data'>;

/** Indices drawn with replacement, a pure function of seed, step and micro-batch. */
export function trainingIndices({ seed, data }: CaptionedConfig, step: number, micro: number, count: number): number[] {
  return [...stream(seed, 'teach', 'data', step, micro).randint(0, data.count, count)];
}

/** Of the training set. */
export function trainingBatch({ data }: CaptionedConfig, indices: readonly number[]): CaptionedBatch {
  return captionedBatch(data.seed, indices, 'train', data.scenes);
}

/** The first `count` scenes whose combinations training never shows. */
export function heldOutBatch({ data }: CaptionedConfig, count: number): CaptionedBatch {
  return captionedBatch(
    data.seed,
    Array.from({ length: count }, (_, i) => i),
    'held-out',
  );
}
