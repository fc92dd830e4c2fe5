/** Trains the feature network on "scenes": a pure function of the seed. What `dmd features` runs. */
import { type SceneParameters, sceneBatch } from '../../data/scenes/scene.ts';
import { shapes } from '../../data/scenes/shapes.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { attributeCount } from './feature-network.ts';

/** What the attribute head learns: place and size scaled to about [-1, 1], then both colours. */
export function sceneAttributes(scene: SceneParameters): number[] {
  const place = [4 * (scene.x - 0.5), 4 * (scene.y - 0.5), (scene.reach - 0.32) / 0.07];
  return [...place, ...scene.shapeColour, ...scene.groundColour];
}

export interface FeatureBatch {
  readonly images: TensorData;
  /** One-hot [B, 10]. */
  readonly labels: TensorData;
  /** [B, 9] */
  readonly targets: TensorData;
  readonly classes: Int32Array;
}

/** The given scenes of data set `seed` with what the network should say of them. */
export function featureBatch(seed: number, indices: readonly number[]): FeatureBatch {
  const { images, classes, parameters } = sceneBatch(seed, indices);
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
    classes,
  };
}
