/** One DMD iteration as data: weights, recorded draws, settings. */

import { karrasSigmas } from '../../../backend/diffusion/karras.ts';
import type { ParameterLayout } from '../../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../../backend/graph/tensor-data.ts';
import { classConditions } from '../../../backend/models/conditions.ts';
import { createNetwork, type Network } from '../../../backend/nets/index.ts';
import { stream } from '../../../backend/random/stream.ts';
import { type Draws, drawnAhead, streamDraws } from '../../../backend/training/draws.ts';

/** The network of the built-in model `scenes`. */
export const builtInNetwork = {
  class: 'EDMPrecond',
  img_resolution: 32,
  img_channels: 3,
  label_dim: 10,
  model_type: 'SongUNet',
  model_channels: 16,
  channel_mult: [1, 2, 4],
  num_blocks: 2,
  attn_resolutions: [8],
};

const builtInBatch = 32;

export { builtInBatch as batch };
export const settings = { learningRate: 1e-4, clip: 10, lambda: 0.25, emaDecay: 0.999 };
const seed = 20;

/** Where training starts, by network and parameter name. */
export type Weights = Map<string, TensorData>;

export interface DmdCase {
  readonly network: Network;
  readonly levels: Float32Array;
  readonly weights: Readonly<Record<'teacher' | 'generator' | 'fake', Weights>>;
  /** The first iteration's draws are recorded in `tensors`; later ones are fresh. */
  readonly draws: Draws;
  readonly pairs: { z: TensorData; y: TensorData; labels: TensorData };
  /** Everything the reference needs to do the same first iteration. */
  readonly tensors: Map<string, TensorData>;
}

/** EDM's DDPM++ for class-conditional CIFAR-10: 55.7 million parameters. */
export const cifarNetwork = {
  ...builtInNetwork,
  model_channels: 128,
  channel_mult: [2, 2, 2],
  num_blocks: 4,
  attn_resolutions: [16],
};

export interface DmdCaseOptions {
  /** Keyword arguments of EDM's class. */
  readonly network?: object;
  /** Images, and as many pairs. */
  readonly batch?: number;
}

export function dmdCase({ network: config = builtInNetwork, batch = builtInBatch }: DmdCaseOptions = {}): DmdCase {
  const network = createNetwork(config);
  const { layout } = network;
  const levels = karrasSigmas();
  const teacher = drawWeights(layout);
  const weights = { teacher, generator: moved(teacher, 'generator'), fake: moved(teacher, 'fake') };
  const conditions = classConditions(network.labelDim);
  const later = drawnAhead(streamDraws(seed, network.imageShape, conditions));
  const normal = (what: string) => {
    const shape = [batch, ...network.imageShape];
    return tensor(shape, stream(seed, what, 'normal').randn(sizeOf(shape)));
  };
  const levelsOf = (what: string, first: number) => ({
    indices: [...stream(seed, what, 'levels').randint(first, levels.length - Math.max(0, first - 1), batch)],
    noise: normal(what),
  });
  const refZ = normal('pairs');
  const pairs = {
    z: refZ,
    y: tensor(
      refZ.shape,
      stream(seed, 'images')
        .rand(sizeOf(refZ.shape))
        .map((u) => 2 * u - 1),
    ),
    labels: conditions.draw(seed, ['pairs'], batch),
  };
  const latents = { z: normal('recorded'), rows: conditions.draw(seed, ['recorded'], batch) };
  const matching = levelsOf('matching', 20);
  const fake = levelsOf('fake', 0);
  const draws: Draws = {
    latents: (at, count) => (at.step === 1 ? latents : later.latents(at, count)),
    matching: (at, count, range) => (at.step === 1 ? matching : later.matching(at, count, range)),
    fake: (at, count, range) => (at.step === 1 ? fake : later.fake(at, count, range)),
  };
  const sigmas = (indices: readonly number[]) =>
    tensor(
      [batch],
      Float32Array.from(indices, (index) => levels[index]!),
    );
  const tensors = new Map<string, TensorData>([
    ['levels', tensor([levels.length], levels)],
    ['z', latents.z],
    ['labels', latents.rows],
    ['sigma', sigmas(matching.indices)],
    ['noise', matching.noise],
    ['fakeSigma', sigmas(fake.indices)],
    ['fakeNoise', fake.noise],
    ['refZ', pairs.z],
    ['refImages', pairs.y],
    ['refLabels', pairs.labels],
  ]);
  for (const [part, values] of Object.entries(weights)) {
    for (const [name, value] of values) tensors.set(`${part}.${name}`, value);
  }
  return { network, levels, weights, draws, pairs, tensors };
}

const tensor = (shape: readonly number[], data: Float32Array): TensorData => ({ shape: [...shape], data });

/** Weights of a size as after training: what starts at zero or one would leave half the network without influence. */
export function drawWeights({ entries }: ParameterLayout): Weights {
  return new Map(
    entries.map(({ name, shape, init }) => {
      const size = sizeOf(shape);
      const noise = stream(seed, 'weights', name).randn(size);
      const fanIn = size / shape[0];
      const scale = shape.length > 1 ? Math.sqrt(1 / fanIn) : 0.1;
      const centre = init.kind === 'ones' ? 1 : 0;
      return [
        name,
        tensor(
          shape,
          noise.map((z) => centre + scale * z),
        ),
      ];
    }),
  );
}

/** The same weights, each a little elsewhere. */
function moved(weights: Weights, purpose: string): Weights {
  return new Map(
    Array.from(weights, ([name, { shape, data }]) => {
      const noise = stream(seed, purpose, name).randn(data.length);
      return [
        name,
        tensor(
          shape,
          data.map((value, i) => value + 0.02 * noise[i]),
        ),
      ];
    }),
  );
}
