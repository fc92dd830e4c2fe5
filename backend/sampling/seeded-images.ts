/**
 * Images by seed, as EDM's generate.py makes them: every image has a generator of its own, from which come its noise,
 * its class unless one is asked for, and what a sampler adds back. So it does not depend on the images beside it.
 */
import { ablationSampler } from '../diffusion/ablation-sampler.ts';
import { edmSampler } from '../diffusion/edm-sampler.ts';
import type { Engine } from '../engine/engine.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { Network } from '../nets/index.ts';
import { UserError } from '../protocol/errors.ts';
import type { Seed } from '../protocol/seed.ts';
import { StackedGenerator } from '../random/stacked-generator.ts';
import { DenoiseProgram } from './denoise-program.ts';

export type SamplerName = 'edm' | 'ablation';

export interface SeededRequest {
  /** One image per seed. */
  readonly seeds: readonly Seed[];
  /** Classes, one per seed; null draws each from its seed's generator. */
  readonly classes: readonly number[] | null;
  /** Sampler steps; or calls of a generator, the first of them at `sigma`. */
  readonly steps: number;
  /** Noise level that sampling starts from, and at which a generator is called. */
  readonly sigma: number;
  /**
   * Lower levels, descending, at which a few-step generator is called again on its own image with noise of its seed: in `steps` calls,
   * at most one more than there are levels. Left out by all others.
   */
  readonly again?: readonly number[];
  /** Whether it is then given the noise that it found, as DDIM has it, in place of new noise. */
  readonly deterministic?: boolean;
  readonly sampler: SamplerName;
  /** Further options of the sampler under EDM's names, e.g. S_churn; wrong ones are a UserError('config'). */
  readonly samplerOptions: Readonly<Record<string, unknown>>;
  /** Told how many images are done, parts of a batch by its steps. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

export interface SeededImages {
  /** [seeds, ...imageShape] */
  readonly images: TensorData;
  /** The classes shown; empty for an unconditional network. */
  readonly classes: readonly number[];
  /** Wall time of sampling per image; what starting up costs shows only in the first batch and counts. */
  readonly secondsPerImage: number;
}

/** D(x; sigma) for a fixed number of images per call, as DenoiseProgram computes it. */
export interface BatchDenoiser {
  denoise(x: Float32Array, sigma: number, labels: TensorData): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export class SeededSource {
  readonly #program: BatchDenoiser;
  readonly #network: Network;
  readonly #batch: number;

  /** @param batch images per call of `program`, which this disposes of */
  constructor(program: BatchDenoiser, network: Network, batch: number) {
    this.#program = program;
    this.#network = network;
    this.#batch = batch;
  }

  /**
   * @param batch images per network call
   * @param given nobody else looks at the weights any more; see `DenoiseOptions`
   */
  static async create(
    engine: Engine,
    network: Network,
    weights: ReadonlyMap<string, TensorData>,
    batch: number,
    given = false,
  ): Promise<SeededSource> {
    return new SeededSource(await DenoiseProgram.create(engine, { network, batch, weights, given }), network, batch);
  }

  /** Throws UserError: 'usage' for a class the network does not have, 'config' for sampler options, 'cancelled'. */
  async draw(request: SeededRequest): Promise<SeededImages> {
    const { seeds, onProgress } = request;
    const { imageShape, labelDim } = this.#network;
    this.#checkClasses(request);
    const numbers = sizeOf(imageShape);
    const images = new Float32Array(seeds.length * numbers);
    const classes: number[] = [];
    const began = performance.now();
    for (let start = 0; start < seeds.length; start += this.#batch) {
      const own = seeds.slice(start, start + this.#batch);
      // The program's batch is fixed: a smaller one is filled up with copies of its last image.
      const padded = Array.from({ length: this.#batch }, (_, i) => own[Math.min(i, own.length - 1)]);
      const random = new StackedGenerator(padded);
      const z = random.randn(numbers);
      const drawn = labelDim > 0 ? [...random.randint(0, labelDim)] : [];
      const shown = drawn.map((id, i) => request.classes?.[start + Math.min(i, own.length - 1)] ?? id);
      const part = await this.#batchOf(request, z, shown, random, (share) => {
        onProgress?.(start + Math.floor(own.length * share));
      });
      images.set(part.subarray(0, own.length * numbers), start * numbers);
      classes.push(...shown.slice(0, own.length));
      onProgress?.(start + own.length);
    }
    const secondsPerImage = (performance.now() - began) / 1000 / Math.max(1, seeds.length);
    return { images: { shape: [seeds.length, ...imageShape], data: images }, classes, secondsPerImage };
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }

  async #batchOf(
    { steps, sigma, again = [], deterministic, sampler, samplerOptions, signal }: SeededRequest,
    z: Float32Array,
    classes: readonly number[],
    random: StackedGenerator,
    onShare: (share: number) => void,
  ): Promise<Float32Array> {
    const { labelDim } = this.#network;
    const labels = { shape: [this.#batch, labelDim], data: new Float32Array(this.#batch * labelDim) };
    classes.forEach((id, i) => {
      labels.data[i * labelDim + id] = 1;
    });
    if (signal?.aborted) throw new UserError('cancelled', 'Sampling was stopped.');
    if (steps <= 1 + again.length) {
      let given = z.map((value) => value * sigma);
      let at = sigma;
      let image = await this.#program.denoise(given, at, labels);
      for (const [i, level] of again.slice(0, steps - 1).entries()) {
        onShare((i + 1) / steps);
        if (signal?.aborted) throw new UserError('cancelled', 'Sampling was stopped.');
        const noise = deterministic
          ? given.map((value, k) => (value - image[k]!) / at)
          : random.randn(z.length / this.#batch);
        given = image.map((value, k) => value + level * noise[k]!);
        at = level;
        image = await this.#program.denoise(given, at, labels);
      }
      return image;
    }
    const sample = sampler === 'edm' ? edmSampler : ablationSampler;
    const images = await sample(
      (x, level) => this.#program.denoise(x, level, labels),
      z,
      { num_steps: steps, sigma_max: sigma, ...samplerOptions },
      {
        ...(signal ? { signal } : {}),
        noise: (n) => random.randn(n / this.#batch),
        onStep: ({ i }) => onShare((i + 1) / steps),
      },
      this.#network,
    );
    return Float32Array.from(images);
  }

  #checkClasses({ classes, seeds }: SeededRequest): void {
    const { labelDim } = this.#network;
    if (!classes) return;
    if (labelDim === 0)
      throw new UserError('usage', 'The network has no classes to choose from.', 'Leave --class out.');
    if (classes.length !== seeds.length) throw new Error(`${classes.length} classes for ${seeds.length} seeds`);
    const unknown = classes.find((id) => id >= labelDim);
    if (unknown === undefined) return;
    throw new UserError('usage', `There is no class ${unknown}.`, `The network's classes are 0 to ${labelDim - 1}.`);
  }
}
