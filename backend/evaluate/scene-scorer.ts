/** Scores networks on "scenes": Frechet distance to held-out scenes and the share the checker accepts. */
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { packageRoot } from '../files/package.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { FeatureStatistics } from '../metrics/feature-statistics.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import type { Network } from '../nets/index.ts';
import { UserError } from '../protocol/errors.ts';
import { SeededSource } from '../sampling/seeded-images.ts';
import { loadWeights } from '../weights/load.ts';
import { PictureFeatures } from './picture-features.ts';
import { acceptedShare, heldOutStatistics } from './scene-scores.ts';

export interface SceneScore {
  /** Frechet distance in the features of media/scenes/features.safetensors; comparable only among itself. */
  readonly distance: number;
  /** Share of the checked pictures that show the class asked for, 0..1. */
  readonly accepted: number;
  readonly secondsPerImage: number;
}

export interface ScoreRequest {
  /** Picture i is drawn from seed `seed` + i and shows class i modulo the number of classes. */
  readonly seed: number;
  /** Heun steps, or 1 for a single call at `sigma`: a generator. */
  readonly steps: number;
  /** Noise level that sampling starts from, and at which a generator is called. */
  readonly sigma: number;
  /** At which a few-step generator is called again; left out by all others. */
  readonly again?: readonly number[];
  /** Whether it is then given the noise that it found. */
  readonly deterministic?: boolean;
  /** Pictures for the distance. */
  readonly count: number;
  /** Pictures for the checker. */
  readonly checked: number;
  /** Told how many pictures are drawn. */
  readonly onProgress?: (done: number) => void;
}

const batch = 50;

export class SceneScorer {
  readonly #engine: Engine;
  readonly #features: PictureFeatures;
  readonly #reference: FeatureStatistics;

  private constructor(engine: Engine, features: PictureFeatures, reference: FeatureStatistics) {
    this.#engine = engine;
    this.#features = features;
    this.#reference = reference;
  }

  /** @param count held-out scenes to compare with */
  static async create(engine: Engine, count: number): Promise<SceneScorer> {
    const { tensors } = await loadWeights(join(packageRoot(), 'media', 'scenes', 'features.safetensors'));
    const features = await PictureFeatures.create(engine, tensors);
    return new SceneScorer(engine, features, await heldOutStatistics(features, count));
  }

  /** Draws pictures from a network and scores them. Throws UserError('weights') for a network of another shape. */
  async score(network: Network, weights: ReadonlyMap<string, TensorData>, request: ScoreRequest): Promise<SceneScore> {
    if (network.imageShape.join() !== '3,32,32' || network.labelDim !== 10) {
      const shape = `[${network.imageShape}] with ${network.labelDim} classes`;
      throw new UserError('weights', `scenes are [3,32,32] with 10 classes, this model draws ${shape}`);
    }
    const { seed, steps, sigma, again = [], deterministic = false, count, checked, onProgress } = request;
    const seeds = Array.from({ length: Math.max(count, checked) }, (_, i) => seed + i);
    const classes = seeds.map((_, i) => i % network.labelDim);
    const source = await SeededSource.create(this.#engine, network, weights, batch);
    const asked = { seeds, classes, steps, sigma, again, deterministic, sampler: 'edm', samplerOptions: {} } as const;
    const { images, secondsPerImage } = await source.draw({ ...asked, ...(onProgress ? { onProgress } : {}) });
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
