/** Scores networks on "scenes": Frechet distance to held-out scenes and the share the checker accepts. */
import { join } from 'node:path';
import { type ImageRequest, ImageSource } from '../dmd/sample-images.ts';
import { acceptedShare, heldOutStatistics, SceneFeatures } from '../dmd/scene-scores.ts';
import type { Engine } from '../engine/engine.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { FeatureStatistics } from '../metrics/feature-statistics.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import type { Network } from '../nets/index.ts';
import { UserError } from '../protocol/errors.ts';
import { packageRoot } from '../protocol/package.ts';
import { loadWeights } from '../weights/load.ts';

export interface SceneScore {
  /** Frechet distance in the features of media/scenes/features.safetensors; comparable only among itself. */
  readonly distance: number;
  /** Share of the checked pictures that show the class asked for, 0..1. */
  readonly accepted: number;
  readonly secondsPerImage: number;
}

export class SceneScorer {
  readonly #engine: Engine;
  readonly #features: SceneFeatures;
  readonly #reference: FeatureStatistics;

  private constructor(engine: Engine, features: SceneFeatures, reference: FeatureStatistics) {
    this.#engine = engine;
    this.#features = features;
    this.#reference = reference;
  }

  /** @param count held-out scenes to compare with */
  static async create(engine: Engine, count: number): Promise<SceneScorer> {
    const { tensors } = await loadWeights(join(packageRoot(), 'media', 'scenes', 'features.safetensors'));
    const features = await SceneFeatures.create(engine, tensors);
    return new SceneScorer(engine, features, await heldOutStatistics(features, count));
  }

  /** Draws pictures from a network and scores them: the first `count` for the distance, `checked` for the checker. */
  async score(
    network: Network,
    weights: ReadonlyMap<string, TensorData>,
    request: Omit<ImageRequest, 'count'>,
    { count, checked }: { count: number; checked: number },
  ): Promise<SceneScore> {
    if (network.imageShape.join() !== '3,32,32' || network.labelDim !== 10) {
      const shape = `[${network.imageShape}] with ${network.labelDim} classes`;
      throw new UserError('weights', `scenes are [3,32,32] with 10 classes, this model draws ${shape}`);
    }
    const source = await ImageSource.create(this.#engine, network, weights);
    const { images, classes, secondsPerImage } = await source.draw({ ...request, count: Math.max(count, checked) });
    await source.dispose();
    const distance = frechetDistance(await this.#features.statistics(first(images, count)), this.#reference);
    const accepted = checked > 0 ? acceptedShare(first(images, checked), classes) : Number.NaN;
    return { distance, accepted, secondsPerImage };
  }

  dispose(): Promise<void> {
    return this.#features.dispose();
  }
}

function first({ shape, data }: TensorData, count: number): TensorData {
  const [, ...image] = shape;
  return { shape: [count, ...image], data: data.subarray(0, count * sizeOf(image)) };
}
