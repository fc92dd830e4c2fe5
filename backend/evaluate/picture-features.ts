/** A feature network on a device: features of pictures, their statistics, and the classes it reads in them. */
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { constantParameters } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { type FeatureKind, featureCount, featureNetwork, imageInput, sceneKind } from '../metrics/feature-network.ts';
import { FeatureAccumulator, type FeatureStatistics } from '../metrics/feature-statistics.ts';

const batch = 100;

/** Computes the features that distances are taken in. */
export class PictureFeatures {
  readonly kind: FeatureKind;
  readonly #program: Program;

  private constructor(program: Program, kind: FeatureKind) {
    this.#program = program;
    this.kind = kind;
  }

  static async create(
    engine: Engine,
    weights: ReadonlyMap<string, TensorData>,
    kind: FeatureKind = sceneKind,
  ): Promise<PictureFeatures> {
    const graph = new Graph();
    const outputs = featureNetwork(constantParameters(graph, weights), imageInput(graph, batch, kind), kind);
    graph.output('features', outputs.features);
    graph.output('logits', outputs.logits);
    return new PictureFeatures(await engine.compile(graph, { name: 'picture features' }), kind);
  }

  /** Mean and covariance of the features of images [N, C, H, W] of the network's shape. */
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

  /** The class that the network reads in each picture, [N]. */
  async classes(images: TensorData): Promise<Int32Array> {
    const { classes } = this.kind;
    const out = new Int32Array(images.shape[0]!);
    let at = 0;
    for await (const { logits, count } of this.#batches(images)) {
      for (let i = 0; i < count; i++) {
        const row = logits.subarray(i * classes, (i + 1) * classes);
        out[at++] = row.indexOf(Math.max(...row));
      }
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
