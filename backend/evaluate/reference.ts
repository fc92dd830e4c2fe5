/**
 * What pictures are compared with: a set of images, or only the mean and covariance of its features; for this project's
 * own data also whether a picture shows what was asked for.
 */

import { captionedBatch, samplePrompts } from '../data/captioned/captioned-batch.ts';
import { type CaptionVerdict, checkCaptioned } from '../data/captioned/checker.ts';
import { openImageDataset } from '../data/image-dataset.ts';
import { checkScenes } from '../data/scenes/checker.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { FeatureAccumulator, type FeatureStatistics } from '../metrics/feature-statistics.ts';
import { readStatistics } from '../metrics/statistics-file.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import type { FeatureSpace } from './feature-space.ts';
import { inRounds } from './rounds.ts';
import { heldOutScenes } from './scene-scores.ts';

export interface Reference {
  /** What it is, for people. */
  readonly label: string;
  readonly statistics: Pick<FeatureStatistics, 'mean' | 'covariance'>;
  /** [N, dims]; null where only the statistics are known, so that precision and recall are not. */
  readonly features: TensorData | null;
  /** Prompts that belong to it, one per picture; null where it has none. */
  readonly prompts: readonly string[] | null;
  /** How many of these pictures show what was asked for; null where nobody can say. */
  readonly right:
    | ((images: TensorData, pictures: readonly PictureAsked[]) => RightCounts | Promise<RightCounts>)
    | null;
}

/** Pictures that are right as a whole, and by what was asked for, such as `colours`. */
export interface RightCounts {
  readonly all: number;
  readonly parts: Readonly<Record<string, number>>;
}

export interface PictureAsked {
  /** Its place in the whole list of pictures, from 0. */
  readonly index: number;
  /** -1 for none. */
  readonly class: number;
}

/** The images of a folder or zip, the first `count` of them. Throws UserError('data') that names the file. */
export async function imageReference(
  path: string,
  count: number,
  space: FeatureSpace,
  ranks: Ranks = alone,
): Promise<Reference> {
  const dataset = await openImageDataset(path, { labelled: false, count });
  try {
    const draw = async (indices: readonly number[]) => (await dataset.batch(indices)).images;
    const label = `${dataset.count} images of ${path}`;
    return { label, ...(await featuresOf(draw, dataset.count, space, ranks)), prompts: null, right: null };
  } finally {
    await dataset.close();
  }
}

/** A reference whose data have the classes that the space reads: a picture is right where it reads the class asked for. */
export function readBy({ reads }: FeatureSpace, classes: number, reference: Reference): Reference {
  if (!reads || reads.classes !== classes) return reference;
  return {
    ...reference,
    async right(images, pictures) {
      const found = await reads.of(images);
      return { all: pictures.filter((picture, i) => found[i] === picture.class).length, parts: {} };
    },
  };
}

/** Statistics from a .npz. Throws UserError that names the file. */
export async function statisticsReference(path: string, space: FeatureSpace): Promise<Reference> {
  const statistics = await readStatistics(path, space.dims);
  return { label: `the statistics in ${path}`, statistics, features: null, prompts: null, right: null };
}

/** The first `count` held-out "scenes", and their checker of shape and colours. */
export async function scenesReference(count: number, space: FeatureSpace, ranks: Ranks = alone): Promise<Reference> {
  const made = await featuresOf(async (indices) => heldOutScenes(indices), count, space, ranks);
  const right: Reference['right'] = async (images, pictures) => {
    const all = checkScenes(images).filter(({ accepted, shape }, i) => accepted && shape === pictures[i].class).length;
    return { all, parts: {} };
  };
  return { label: `${count} held-out scenes`, ...made, prompts: null, right };
}

/** The held-out set of captioned scenes that prompts and pictures are measured against. */
export const captionedSeed = 20_231_128;

/**
 * The first `count` captioned scenes of the held-out combinations: captions as prompts, their images, and a checker by
 * which a picture is right when its colours, shapes and places are.
 */
export async function captionedReference(count: number, space: FeatureSpace, ranks: Ranks = alone): Promise<Reference> {
  const draw = async (indices: readonly number[]) => captionedBatch(captionedSeed, indices, 'held-out').images;
  const prompts = samplePrompts(count, 'held-out', captionedSeed);
  const right: Reference['right'] = async (images, pictures) => {
    const [, ...shape] = images.shape;
    const numbers = sizeOf(shape);
    const verdicts = pictures.map(({ index }, i) =>
      checkCaptioned(images.data.subarray(i * numbers, (i + 1) * numbers), prompts[index].wanted),
    );
    const count = (is: (verdict: CaptionVerdict) => boolean) => verdicts.filter(is).length;
    return {
      all: count(({ colours, shapes, places }) => colours && shapes && places),
      parts: {
        colours: count(({ colours }) => colours),
        shapes: count(({ shapes }) => shapes),
        places: count(({ places }) => places),
      },
    };
  };
  const made = await featuresOf(draw, count, space, ranks);
  return { label: `${count} captioned scenes, held out`, ...made, prompts: prompts.map(({ prompt }) => prompt), right };
}

/** Several ranks share the work, and the leader has what comes of it; of the others' references only the checks are whole. */
async function featuresOf(
  draw: (indices: readonly number[]) => Promise<TensorData>,
  count: number,
  space: FeatureSpace,
  ranks: Ranks,
): Promise<Pick<Reference, 'statistics' | 'features'>> {
  const accumulator = new FeatureAccumulator();
  const all = new Float32Array(ranks.rank === 0 ? count * space.dims : 0);
  await inRounds({
    ...{ ranks, count, dims: space.dims },
    measure: async (indices) => ({ features: await space.features(await draw(indices)), found: null }),
    take(indices, { features }) {
      accumulator.add({ shape: [indices.length, space.dims], data: features });
      all.set(features, indices[0]! * space.dims);
    },
  });
  if (ranks.rank > 0)
    return { statistics: { mean: new Float64Array(), covariance: new Float64Array() }, features: null };
  return { statistics: accumulator.statistics(), features: { shape: [count, space.dims], data: all } };
}
