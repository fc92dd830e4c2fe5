/**
 * The random draws of one iteration. Each kind has a stream of its own, named by seed, purpose and step, so that
 * switching one loss off does not change what another draws.
 */
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { Denoiser } from '../models/denoiser.ts';
import { stream } from '../random/stream.ts';

/** Noise levels in ascending order; the index is what is drawn (EDM: 1000 Karras levels, 0.002..80, rho 7). */
export type Levels = ArrayLike<number>;

/** Where in a run a draw belongs. `update` is 0 for the generator's own images, k for the fake score's k-th further ones. */
export interface DrawPoint {
  readonly step: number;
  readonly micro: number;
  readonly update: number;
}

export interface LevelRange {
  readonly levels: Levels;
  /** Indices are uniform in first..last, inclusive. */
  readonly first: number;
  readonly last: number;
}

export interface Latents {
  readonly z: TensorData;
  /** One-hot; absent for an unconditional network. */
  readonly labels?: TensorData;
}

/** Per-sample noise levels [B] and the noise to add. */
export interface Diffusion {
  readonly sigma: TensorData;
  readonly noise: TensorData;
}

/** Everything an iteration draws at random: pure functions of the point. Recorded draws can stand in for the streams. */
export interface Draws {
  latents(at: DrawPoint): Latents;
  matching(at: DrawPoint, range: LevelRange): Diffusion;
  fake(at: DrawPoint, range: LevelRange): Diffusion;
}

/** The draws of a run, a function of its seed alone. */
export function streamDraws(seed: number, batch: number, network: Denoiser, labels?: LabelChoice): Draws {
  const at = ({ step, micro }: DrawPoint) => ['distill', step, micro];
  const fakePath = (point: DrawPoint) => [...at(point), 'fake', point.update];
  // Images for further fake-score updates have a stream of their own: with that update's, their z would be its noise.
  const latentPath = (point: DrawPoint) =>
    point.update === 0 ? [...at(point), 'generator'] : [...fakePath(point), 'images'];
  return {
    latents: (point) => drawLatents(seed, latentPath(point), batch, network, labels),
    matching: (point, range) => drawDiffusion(seed, [...at(point), 'matching'], batch, network, range),
    fake: (point, range) => drawDiffusion(seed, fakePath(point), batch, network, range),
  };
}

/** Standard normal [count, ...imageShape]. */
function normal(seed: number, path: (string | number)[], count: number, network: Denoiser): TensorData {
  const shape = [count, ...network.imageShape];
  return { shape, data: stream(seed, ...path, 'normal').randn(sizeOf(shape)) };
}

/** Which classes to draw: each equally often, or none at all (zeros). */
export type LabelChoice = 'uniform' | 'none';

/** Classes as one-hot [count, labelDim]; [count, 0] for an unconditional network. */
export function drawLabels(
  seed: number,
  path: (string | number)[],
  count: number,
  labelDim: number,
  choice: LabelChoice = 'uniform',
): TensorData {
  const data = new Float32Array(count * labelDim);
  if (labelDim > 0 && choice === 'uniform') {
    stream(seed, ...path, 'labels')
      .randint(0, labelDim, count)
      .forEach((id, i) => {
        data[i * labelDim + id] = 1;
      });
  }
  return { shape: [count, labelDim], data };
}

/** Noise and labels for `count` generated images. */
export function drawLatents(
  seed: number,
  path: (string | number)[],
  count: number,
  network: Denoiser,
  choice?: LabelChoice,
): Latents {
  return {
    z: normal(seed, path, count, network),
    ...(network.labelDim > 0 ? { labels: drawLabels(seed, path, count, network.labelDim, choice) } : {}),
  };
}

/** Per-sample noise levels, index uniform in first..last inclusive, and the noise to add. */
export function drawDiffusion(
  seed: number,
  path: (string | number)[],
  count: number,
  network: Denoiser,
  range: LevelRange,
): Diffusion {
  const indices = stream(seed, ...path, 'levels').randint(range.first, range.last + 1, count);
  return {
    sigma: { shape: [count], data: Float32Array.from(indices, (index) => range.levels[index]) },
    noise: normal(seed, path, count, network),
  };
}
