/** Draws many images from a network, batch by batch: one call each for a generator, a sampler's many for a teacher. */
import { edmSampler } from '../diffusion/edm-sampler.ts';
import type { Engine } from '../engine/engine.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { Network } from '../nets/index.ts';
import { stream } from '../random/stream.ts';
import { DenoiseProgram } from './denoise-program.ts';

export interface ImageRequest {
  readonly seed: number;
  readonly count: number;
  /** Heun steps of EDM's sampler, or 1 for a single call at `sigma`: a generator. */
  readonly steps: number;
  /** Noise level that sampling starts from, and at which a generator is called. */
  readonly sigma: number;
  /** Told how many images are done. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

export interface DrawnImages {
  /** [count, ...imageShape] */
  readonly images: TensorData;
  /** Image i shows class i modulo the number of classes; zeros for an unconditional network. */
  readonly classes: Int32Array;
  /** Wall time of network and sampler per image. */
  readonly secondsPerImage: number;
}

/** A network with its weights in place, ready to be asked for images any number of times. */
export class ImageSource {
  readonly #program: DenoiseProgram;
  readonly #network: Network;
  readonly #batch: number;

  private constructor(program: DenoiseProgram, network: Network, batch: number) {
    this.#program = program;
    this.#network = network;
    this.#batch = batch;
  }

  static async create(
    engine: Engine,
    network: Network,
    weights: ReadonlyMap<string, TensorData>,
    batch = 50,
  ): Promise<ImageSource> {
    return new ImageSource(await DenoiseProgram.create(engine, { network, batch, weights }), network, batch);
  }

  /** Image i is a pure function of (seed, i) and the weights, whatever the batch. */
  async draw({ seed, count, steps, sigma, onProgress, signal }: ImageRequest): Promise<DrawnImages> {
    const { imageShape, labelDim } = this.#network;
    const numbers = sizeOf(imageShape);
    const images = new Float32Array(count * numbers);
    const classes = Int32Array.from({ length: count }, (_, i) => (labelDim > 0 ? i % labelDim : 0));
    let seconds = 0;
    for (let start = 0; start < count; start += this.#batch) {
      signal?.throwIfAborted();
      const size = Math.min(this.#batch, count - start);
      const { z, labels } = this.#latents(seed, start);
      const began = performance.now();
      const batch = await this.#images(z, labels, steps, sigma, signal);
      seconds += (performance.now() - began) / 1000;
      images.set(batch.subarray(0, size * numbers), start * numbers);
      onProgress?.(start + size);
    }
    const made = Math.ceil(count / this.#batch) * this.#batch;
    return { images: { shape: [count, ...imageShape], data: images }, classes, secondsPerImage: seconds / made };
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }

  #latents(seed: number, start: number): { z: Float32Array; labels: TensorData } {
    const { imageShape, labelDim } = this.#network;
    const numbers = sizeOf(imageShape);
    const z = new Float32Array(this.#batch * numbers);
    const oneHot = new Float32Array(this.#batch * labelDim);
    for (let row = 0; row < this.#batch; row++) {
      z.set(stream(seed, 'image', start + row).randn(numbers), row * numbers);
      if (labelDim > 0) oneHot[row * labelDim + ((start + row) % labelDim)] = 1;
    }
    return { z, labels: { shape: [this.#batch, labelDim], data: oneHot } };
  }

  async #images(z: Float32Array, labels: TensorData, steps: number, sigma: number, signal?: AbortSignal) {
    if (steps === 1) {
      const noise = z.map((value) => value * sigma);
      return this.#program.denoise(noise, sigma, labels);
    }
    const images = await edmSampler(
      (x, level) => this.#program.denoise(x, level, labels),
      z,
      { num_steps: steps, sigma_max: sigma },
      { signal },
      this.#network,
    );
    return Float32Array.from(images);
  }
}
