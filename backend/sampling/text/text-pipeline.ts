/**
 * From a prompt to pixels on an engine: tokenizer, text encoder, UNet under a sampler (or once, for a generator), decoder.
 * What is compiled, and the embeddings of prompts, are kept for the next request.
 */
import { needsGuidance, type Predict, type VpSampler } from '../../diffusion/vp/index.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import { requireMemory } from '../../models/text/memory.ts';
import type { NetworkPlacement } from '../../models/text/networks.ts';
import { imageOfPrediction } from '../../models/text/one-step.ts';
import { openTextModel, type TextModel, type TextModelOptions } from '../../models/text/text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import { StackedGenerator } from '../../random/stacked-generator.ts';
import type { EncodedPrompt } from '../../text/index.ts';
import type { PlacedDecoder } from './decoders.ts';
import { type Shapes, TextPrograms } from './text-programs.ts';
import {
  type PromptReading,
  type Settled,
  samplerFor,
  settle,
  type TextImages,
  type TextRequest,
} from './text-request.ts';

export interface TextPipelineOptions extends TextModelOptions, NetworkPlacement {
  /** Images per network call at most. Default: as many as keep the device busy. */
  readonly batch?: number;
}

/** What every batch of a request has in common. */
interface Drawing extends Pick<Settled, 'steps'> {
  /** Null for a generator's calls. */
  readonly sampler: VpSampler | null;
  readonly shapes: Shapes;
  readonly decoder: PlacedDecoder;
  readonly calls: number;
}

/** CLIP's has 49,408 tokens. */
const smallVocabulary = 10_000;

export class TextPipeline {
  readonly model: TextModel;
  readonly #programs: TextPrograms;
  readonly #batch: number | undefined;

  /** The engine stays the caller's. */
  constructor(model: TextModel, options: TextPipelineOptions) {
    this.model = model;
    this.#programs = new TextPrograms(model, options);
    this.#batch = options.batch;
  }

  /**
   * Opens a model; weights are read when they are first needed. Throws UserError as `openTextModel`, and 'device' where this
   * machine has no memory for the model.
   * @param name a model folder, or ORGANISATION/NAME of one that was downloaded
   */
  static open(name: string, options: TextPipelineOptions): TextPipeline {
    const model = openTextModel(name, options);
    requireMemory(model, options.lowMemory ?? false);
    return new TextPipeline(model, options);
  }

  /**
   * Draws one image per seed; an image does not depend on those beside it.
   * @throws UserError: 'usage' for what the model cannot do, 'weights', 'device', 'numeric', 'cancelled'
   */
  async draw(request: TextRequest): Promise<TextImages> {
    const { tokenizer } = this.model;
    const { seeds, signal } = request;
    const settled = settle(request, this.model);
    const { guidance, steps } = settled;
    const sampler = samplerFor(request, this.model);
    const calls = sampler ? sampler.timesteps({ steps, eta: request.eta ?? 0 }).length : steps;
    const shapes = this.#programs.shapesOf(settled.size, seeds.length, this.#batch);
    const decoder = await this.#programs.decoder(request.decoder);
    await this.#programs.prepare(shapes, guidance, decoder);

    const began = performance.now();
    const prompt = tokenizer.encode(request.prompt);
    const negativePrompt = tokenizer.encode(request.negativePrompt ?? '');
    const prompts = needsGuidance(guidance) ? [negativePrompt, prompt] : [prompt];
    const context = await this.#programs.context(prompts, shapes);
    const call = { guidance, signal };
    const predict: Predict = (x, timestep) => this.#programs.predict(x, timestep, context, shapes, call);
    const images: TensorData[] = [];
    const latents: TensorData[] = [];
    for (let from = 0; from < seeds.length; from += shapes.batch) {
      const part = { from, to: Math.min(from + shapes.batch, seeds.length) };
      const drawn = await this.#drawBatch(request, { ...settled, sampler, shapes, decoder, calls }, part, predict);
      images.push(firstOf(await this.#programs.decode(drawn, shapes, decoder, signal), part.to - from));
      latents.push(firstOf({ shape: shapes.latent, data: drawn }, part.to - from));
    }
    return {
      ...{ images: joined(images), latents: joined(latents) },
      prompt: this.#reading(prompt),
      negativePrompt: this.#reading(negativePrompt),
      ...{ steps, guidance, scheduler: sampler?.name ?? null, calls },
      secondsPerImage: (performance.now() - began) / 1000 / seeds.length,
      decoder: await decoder.origin(),
    };
  }

  /** Compiles what such requests need, so that the first one does not wait for it. */
  async warmUp(request: Omit<TextRequest, 'prompt'>): Promise<void> {
    const { size, guidance } = settle({ ...request, prompt: '' }, this.model);
    samplerFor(request, this.model);
    const decoder = await this.#programs.decoder(request.decoder);
    await this.#programs.prepare(this.#programs.shapesOf(size, request.seeds.length, this.#batch), guidance, decoder);
  }

  /** A vocabulary like CLIP's own puts any word together from parts that it knows; a small one does not. */
  #reading({ truncated, unknownWords }: EncodedPrompt): PromptReading {
    return { truncated, unknownWords: this.model.tokenizer.vocabularySize < smallVocabulary ? unknownWords : [] };
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }

  /** Latents of one batch, [batch, C, h, w] flat. */
  async #drawBatch(
    { seeds, eta = 0, signal, onStep }: TextRequest,
    { steps, sampler, shapes, decoder, calls }: Drawing,
    part: { from: number; to: number },
    predict: Predict,
  ): Promise<Float32Array> {
    const { batch } = shapes;
    const count = part.to - part.from;
    // The programs' batch is fixed: a smaller one is filled up with copies of its last image.
    const own = Array.from({ length: batch }, (_, i) => seeds[part.from + Math.min(i, count - 1)]!);
    const random = new StackedGenerator(own);
    const noise = random.randn(sizeOf(shapes.latent.slice(1)));
    const total = calls * Math.ceil(seeds.length / batch);
    const report = async (i: number, denoised: Float32Array) => {
      const preview = async () => firstOf(await this.#programs.decode(denoised, shapes, decoder, signal), count);
      await onStep?.({ done: (part.from / batch) * calls + i + 1, total, images: part, preview });
    };
    const { oneStep } = this.model.calling;
    if (oneStep) {
      const { schedule } = this.model;
      let [given, image] = [noise, noise];
      for (const [i, timestep] of [oneStep.timestep, ...oneStep.again].slice(0, steps).entries()) {
        if (signal?.aborted) throw new UserError('cancelled', 'Sampling was stopped.');
        if (i > 0) {
          const again = random.randn(noise.length / batch);
          const [alpha, sigma] = [schedule.alpha(timestep), schedule.sigma(timestep)];
          given = image.map((value, k) => alpha * value + sigma * again[k]!);
        }
        const prediction = await predict(given.slice(), timestep, { i, steps });
        image = imageOfPrediction({ ...oneStep, timestep }, schedule, given, prediction);
        await report(i, image);
      }
      return image;
    }
    return sampler!.sample(
      predict,
      noise,
      { steps, eta },
      {
        noise: (n) => random.randn(n / batch),
        onStep: ({ i, denoised }) => report(i, denoised),
        signal,
      },
    );
  }
}

function firstOf({ shape: [, ...shape], data }: TensorData, count: number): TensorData {
  return { shape: [count, ...shape], data: data.subarray(0, count * sizeOf(shape)) };
}

function joined(parts: readonly TensorData[]): TensorData {
  const [, ...shape] = parts[0]!.shape;
  const count = parts.reduce((sum, part) => sum + part.shape[0]!, 0);
  const data = new Float32Array(count * sizeOf(shape));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { shape: [count, ...shape], data };
}
