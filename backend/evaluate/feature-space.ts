/**
 * Where pictures are compared: a network's features, with the name that a distance in them carries. Distances in different
 * spaces, or in one space by different ways of resizing, do not compare.
 */
import { fitProblem, fitted } from '../data/fit.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { constantParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { featureCount } from '../metrics/feature-network.ts';
import { inception, inceptionFeatureCount, inceptionInput } from '../metrics/inception/network.ts';
import { type InceptionKind, inceptionImages } from '../metrics/inception/preprocess.ts';
import { UserError } from '../protocol/errors.ts';
import type { FeaturesAbout } from './features-file.ts';
import type { PictureFeatures } from './picture-features.ts';

export interface FeatureSpace {
  /** What a Frechet distance here is called, with its kind: 'FID (clean-fid)', 'FD (scenes features)'. */
  readonly distanceName: string;
  /** Numbers per picture. */
  readonly dims: number;
  /** images [N, C, H, W] in [-1, 1] -> [N, dims]. Throws UserError('usage') for pictures that do not fit. */
  features(images: TensorData): Promise<Float32Array>;
  /** Reads the class of each picture, where the network can. */
  readonly reads?: { readonly classes: number; of(images: TensorData): Promise<Int32Array> };
  dispose(): Promise<void>;
}

/** A feature network of a data set, which also reads its classes. Pictures of another shape are made to fit. */
export function pictureSpace(features: PictureFeatures, { name, shape, classes, fit }: FeaturesAbout): FeatureSpace {
  const ready = (images: TensorData) => {
    const [, ...from] = images.shape as [number, number, number, number];
    const problem = fitProblem(from, shape, fit);
    if (problem === '') return fitted(images, shape, fit);
    throw new UserError('usage', `The features of ${name}: ${problem}.`, 'Choose other features with --features.');
  };
  return {
    distanceName: `FD (${name} features)`,
    dims: featureCount,
    features: async (images) => features.features(ready(images)),
    reads: { classes, of: async (images) => features.classes(ready(images)) },
    dispose: () => features.dispose(),
  };
}

/** The built-in network's features. Pictures of 64 pixels, as captioned scenes are, are halved first. */
export function sceneSpace(features: PictureFeatures): FeatureSpace {
  return {
    distanceName: 'FD (scenes features)',
    dims: featureCount,
    features: async (images) => features.features(asScenes(images)),
    dispose: () => features.dispose(),
  };
}

function asScenes(images: TensorData): TensorData {
  const [count, ...shape] = images.shape;
  if (shape.join() === '3,32,32') return images;
  if (shape.join() !== '3,64,64') {
    const message = `The built-in features take colour pictures of 32 or 64 pixels, not [${shape.join(', ')}].`;
    throw new UserError('usage', message, 'Choose other features with --features, or --inception.');
  }
  const data = new Float32Array(count * 3 * 32 * 32);
  data.forEach((_, i) => {
    const [plane, row, column] = [Math.floor(i / 1024), Math.floor(i / 32) % 32, i % 32];
    const at = (plane * 64 + 2 * row) * 64 + 2 * column;
    const d = images.data;
    data[i] = (d[at] + d[at + 1] + d[at + 64] + d[at + 65]) / 4;
  });
  return { shape: [count, 3, 32, 32], data };
}

export interface InceptionSpaceOptions {
  /** Folded, as `inceptionWeights` gives them. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /** How pictures are resized, which is part of the distance's name. */
  readonly kind: InceptionKind;
  /** 'FID' for the published weights; anything else is not to be called so. */
  readonly distance: string;
  /** Pictures per network call. */
  readonly batch?: number;
}

/** InceptionV3's 2048 features on a device. */
export class InceptionSpace implements FeatureSpace {
  readonly distanceName: string;
  readonly dims = inceptionFeatureCount;
  readonly #program: Program;
  readonly #kind: InceptionKind;
  readonly #batch: number;

  private constructor(program: Program, { kind, distance }: InceptionSpaceOptions, batch: number) {
    this.distanceName = `${distance} (${kind})`;
    this.#program = program;
    this.#kind = kind;
    this.#batch = batch;
  }

  static async create(engine: Engine, options: InceptionSpaceOptions): Promise<InceptionSpace> {
    const { weights, batch = 10 } = options;
    const graph = new Graph();
    graph.output('features', inception(constantParameters(graph, weights), inceptionInput(graph, batch)).features);
    return new InceptionSpace(await engine.compile(graph, { name: 'inception features' }), options, batch);
  }

  async features(images: TensorData): Promise<Float32Array> {
    const [count, ...shape] = images.shape;
    const numbers = sizeOf(shape);
    const out = new Float32Array(count * this.dims);
    for (let start = 0; start < count; start += this.#batch) {
      const own = Math.min(this.#batch, count - start);
      const part = { shape: [own, ...shape], data: images.data.subarray(start * numbers, (start + own) * numbers) };
      const ready = inceptionImages(part, this.#kind);
      // The program's batch is fixed; what fills up the last one is not looked at.
      const padded = new Float32Array(this.#batch * sizeOf(ready.shape.slice(1)));
      padded.set(ready.data);
      const results = await this.#program.run({
        images: { shape: [this.#batch, ...ready.shape.slice(1)], data: padded },
      });
      out.set((await results.features.read()).subarray(0, own * this.dims), start * this.dims);
      results.features.dispose();
    }
    return out;
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}
