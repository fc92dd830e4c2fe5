/**
 * The networks of a text-to-image model on an engine, as calls on the host's arrays. Each is compiled once per shape, when
 * first needed, and kept.
 */
import { guideDoubled, needsGuidance } from '../../diffusion/vp/index.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';
import type { Build, HostNetwork } from '../../models/text/network-program.ts';
import { type NetworkPlacement, placeNetworks } from '../../models/text/networks.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import type { EncodedPrompt } from '../../text/index.ts';
import { Decoders, type PlacedDecoder } from './decoders.ts';
import { PromptEmbeddings } from './prompt-embeddings.ts';

/** Shapes of one network call. */
export interface Shapes {
  readonly batch: number;
  /** [batch, C, h, w] */
  readonly latent: readonly number[];
  /** [batch, 3, H, W] */
  readonly image: readonly number[];
}

/** Pixels of a call: so many that the device is busy, so few that cancelling does not take long. */
const latentPixelsPerCall = 64 * 64;

export class TextPrograms {
  readonly #model: TextModel;
  readonly #embeddings: PromptEmbeddings;
  readonly #unet: HostNetwork;
  readonly #decoders: Decoders;

  constructor(model: TextModel, placement: NetworkPlacement) {
    const { textEncoder, unet, decoder } = placeNetworks(model, placement);
    this.#model = model;
    this.#embeddings = new PromptEmbeddings(model, textEncoder);
    this.#unet = unet;
    this.#decoders = new Decoders(model, decoder, placement);
  }

  /** The model's own, or another by name. Throws UserError as `openOwnDecoder`. */
  decoder(name: string | undefined): Promise<PlacedDecoder> {
    return this.#decoders.of(name);
  }

  /**
   * @param size height and width of the images
   * @param batch images per call at most; default: as many as keep a device busy
   */
  shapesOf([height, width]: readonly [number, number], images: number, batch?: number): Shapes {
    const { unet, vae } = this.#model;
    const latentSize = [height / vae.downFactor, width / vae.downFactor];
    const most = batch ?? Math.max(1, Math.floor(latentPixelsPerCall / sizeOf(latentSize)));
    const perCall = Math.min(images, most);
    return {
      batch: perCall,
      latent: [perCall, unet.latentShape[0], ...latentSize],
      image: [perCall, vae.imageChannels, height, width],
    };
  }

  /** Compiles, one network after the other, so that at most one is in memory twice. */
  async prepare(shapes: Shapes, guidance: number, { vae, network }: PlacedDecoder): Promise<void> {
    await this.#embeddings.prepare();
    const doubled = needsGuidance(guidance) ? 2 * shapes.batch : shapes.batch;
    await this.#unet.prepare(...this.#unetAt(shapes, doubled));
    await network.prepare(...decoderAt(vae, shapes));
  }

  /**
   * What the UNet is conditioned on: every prompt's embedding for the whole batch, [prompts * batch, tokens, D].
   * @param prompts the prompt, after the negative one where there is guidance
   */
  async context(prompts: readonly EncodedPrompt[], { batch }: Shapes): Promise<TensorData> {
    const { contextDim } = this.#model.textEncoder;
    const embeddings: Float32Array[] = [];
    for (const prompt of prompts) {
      embeddings.push(await this.#embeddings.of(prompt, prompt === prompts.at(-1) ? 'prompt' : 'negative'));
    }
    const size = embeddings[0]!.length;
    const data = new Float32Array(prompts.length * batch * size);
    for (let i = 0; i < prompts.length * batch; i++) data.set(embeddings[Math.floor(i / batch)]!, i * size);
    return { shape: [prompts.length * batch, size / contextDim, contextDim], data };
  }

  /**
   * The UNet's prediction at a timestep, guided where the context is doubled: [negative, prompt].
   * @param x [batch, C, h, w], flat
   * @param call signal: ends it in the middle where the device can
   */
  async predict(
    x: Float32Array,
    timestep: number,
    context: TensorData,
    shapes: Shapes,
    { guidance, signal }: { readonly guidance: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Float32Array> {
    const rows = context.shape[0]!;
    const guided = rows === 2 * shapes.batch;
    let sample = x;
    if (guided) {
      sample = new Float32Array(2 * x.length);
      sample.set(x);
      sample.set(x, x.length);
    }
    const feeds = {
      sample: { shape: [rows, ...shapes.latent.slice(1)], data: sample },
      timestep: { shape: [rows], data: new Float32Array(rows).fill(timestep) },
      context,
    };
    const prediction = await this.#unet.run(...this.#unetAt(shapes, rows), feeds, signal);
    return guided ? guideDoubled(prediction, guidance) : prediction;
  }

  /** Images [batch, 3, H, W] of latents as the UNet has them. */
  async decode(
    latents: Float32Array,
    shapes: Shapes,
    { vae, network }: PlacedDecoder,
    signal?: AbortSignal,
  ): Promise<TensorData> {
    const feed = { latents: { shape: shapes.latent, data: latents.map((value) => value / vae.scalingFactor) } };
    return { shape: shapes.image, data: await network.run(...decoderAt(vae, shapes), feed, signal) };
  }

  async dispose(): Promise<void> {
    await this.#embeddings.dispose();
    await this.#unet.dispose();
    await this.#decoders.dispose();
  }

  #unetAt({ latent }: Shapes, rows: number): [key: string, build: Build] {
    const { unet, tokenizer } = this.#model;
    const shape = [rows, ...latent.slice(1)];
    const build: Build = (graph, source) => {
      const sample = graph.input('sample', shape);
      const timestep = graph.input('timestep', [rows]);
      const context = graph.input('context', [rows, tokenizer.maxTokens, unet.contextDim]);
      return unet.predict(source, sample, timestep, context);
    };
    return [shape.join(), build];
  }
}

function decoderAt(vae: PlacedDecoder['vae'], { latent }: Shapes): [key: string, build: Build] {
  return [latent.join(), (graph, source) => vae.decode(source, graph.input('latents', latent))];
}
