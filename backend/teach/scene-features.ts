/** What the feature network of "scenes" learns from: pictures that are drawn when needed, and what it should say of them. */
import { attributeCount, sceneAttributes } from '../data/scenes/attributes.ts';
import { sceneBatch } from '../data/scenes/scene.ts';
import { shapes } from '../data/scenes/shapes.ts';
import { stream } from '../random/stream.ts';
import type { FeatureBatch, FeatureOptions } from './teach-features.ts';

/** A batch for each step, of data set `dataSeed`. */
export function sceneFeatureBatches(
  dataSeed: number,
  { seed, batch }: Pick<FeatureOptions, 'seed' | 'batch'>,
): (step: number) => Promise<FeatureBatch> {
  return async (step) =>
    sceneFeatureBatch(dataSeed, [...stream(seed, 'features', 'data', step).randint(0, 2 ** 27, batch)]);
}

/** The given scenes of data set `seed` with what the network should say of them. */
function sceneFeatureBatch(seed: number, indices: readonly number[]): FeatureBatch {
  const { images, parameters } = sceneBatch(seed, indices);
  const count = indices.length;
  const labels = new Float32Array(count * shapes.length);
  const targets = new Float32Array(count * attributeCount);
  parameters.forEach((scene, i) => {
    labels[i * shapes.length + scene.shape] = 1;
    targets.set(sceneAttributes(scene), i * attributeCount);
  });
  return {
    images,
    labels: { shape: [count, shapes.length], data: labels },
    targets: { shape: [count, attributeCount], data: targets },
  };
}
