/**
 * How good pictures of "scenes" are: Frechet distance in the features of the built-in feature network, and the share
 * the analytic checker accepts for the class that was asked for.
 */
import { checkScenes } from '../data/scenes/checker.ts';
import { sceneBatch } from '../data/scenes/scene.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { constantParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { featureCount, featureNetwork, imageInput } from '../metrics/feature-network.ts';
import { FeatureAccumulator, type FeatureStatistics } from '../metrics/feature-statistics.ts';

const batch = 100;

/** Computes the features that distances are taken in. */
export class SceneFeatures {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async create(engine: Engine, weights: ReadonlyMap<string, TensorData>): Promise<SceneFeatures> {
    const graph = new Graph();
    const outputs = featureNetwork(constantParameters(graph, weights), imageInput(graph, batch));
    graph.output('features', outputs.features);
    graph.output('logits', outputs.logits);
    return new SceneFeatures(await engine.compile(graph, { name: 'scene features' }));
  }

  /** Mean and covariance of the features of images [N, 3, 32, 32]. */
  async statistics(images: TensorData): Promise<FeatureStatistics> {
    const accumulator = new FeatureAccumulator();
    for await (const { features, count } of this.#batches(images)) {
      accumulator.add({ shape: [count, featureCount], data: features.subarray(0, count * featureCount) });
    }
    return accumulator.statistics();
  }

  /** The features themselves, [N, 64]. */
  async features(images: TensorData): Promise<Float32Array> {
    const out = new Float32Array(images.shape[0] * featureCount);
    let at = 0;
    for await (const { features, count } of this.#batches(images)) {
      out.set(features.subarray(0, count * featureCount), at * featureCount);
      at += count;
    }
    return out;
  }

  /** Class scores [N, 10]. */
  async logits(images: TensorData): Promise<Float32Array> {
    const out = new Float32Array(images.shape[0] * 10);
    let at = 0;
    for await (const { logits, count } of this.#batches(images)) {
      out.set(logits.subarray(0, count * 10), at * 10);
      at += count;
    }
    return out;
  }

  async *#batches({ shape, data }: TensorData) {
    const [total, ...image] = shape;
    const numbers = image.reduce((a, b) => a * b, 1);
    for (let start = 0; start < total; start += batch) {
      const count = Math.min(batch, total - start);
      const padded = new Float32Array(batch * numbers);
      padded.set(data.subarray(start * numbers, (start + count) * numbers));
      const results = await this.#program.run({ images: { shape: [batch, ...image], data: padded } });
      const [features, logits] = [await results.features.read(), await results.logits.read()];
      for (const result of Object.values(results)) result.dispose();
      yield { features, logits, count };
    }
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}

/** The held-out set that distances are measured against: scenes no training has seen. */
const heldOutSeed = 20_231_128;

/** Features of the first `count` held-out scenes. */
export function heldOutStatistics(features: SceneFeatures, count: number): Promise<FeatureStatistics> {
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
