/**
 * How good pictures of "scenes" are: Frechet distance in the features of the built-in feature network, and the share
 * the analytic checker accepts for the class that was asked for.
 */
import { checkScenes } from '../data/scenes/checker.ts';
import { sceneBatch } from '../data/scenes/scene.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { FeatureStatistics } from '../metrics/feature-statistics.ts';
import type { PictureFeatures } from './picture-features.ts';

/** The held-out set that distances are measured against: scenes no training has seen. */
const heldOutSeed = 20_231_128;

/** Features of the first `count` held-out scenes. */
export function heldOutStatistics(features: PictureFeatures, count: number): Promise<FeatureStatistics> {
  return features.statistics(heldOutScenes([...Array(count).keys()]));
}

/** Held-out scenes by number, [N, 3, 32, 32]. */
export function heldOutScenes(indices: readonly number[]): TensorData {
  return sceneBatch(heldOutSeed, indices).images;
}

/** Share of images [N, 3, 32, 32] in which the checker finds the class asked for, 0..1. */
export function acceptedShare(images: TensorData, classes: ArrayLike<number>): number {
  const verdicts = checkScenes(images);
  const right = verdicts.filter(({ accepted, shape }, i) => accepted && shape === classes[i]);
  return right.length / verdicts.length;
}
