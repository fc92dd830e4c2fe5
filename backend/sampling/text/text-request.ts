/** What may be asked of a text-to-image model, what it answers, and the defaults in between. */
import type { SamplerName, VpSampler } from '../../diffusion/vp/index.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Seed } from '../../protocol/seed.ts';

export interface TextRequest {
  readonly prompt: string;
  /** What guidance leads away from; '' by default. */
  readonly negativePrompt?: string;
  /** One image per seed; noise is that of torch.manual_seed(seed). */
  readonly seeds: readonly Seed[];
  /** Sampler steps; a generator makes at most its own. Default: what the model is made for. */
  readonly steps?: number;
  /** Scale of classifier-free guidance; 1 or less is none. Default: what the model is made for. */
  readonly guidance?: number;
  /** Default: the model's own. */
  readonly scheduler?: SamplerName;
  /** DDIM's share of added noise, 0 by default. */
  readonly eta?: number;
  /**
   * An autoencoder that makes the pixels in place of the model's own: a folder, or ORGANISATION/NAME of one that was downloaded.
   */
  readonly decoder?: string;
  /** Height and width in pixels. Default: what the model was trained on. */
  readonly size?: readonly [number, number];
  /** After every network call. */
  readonly onStep?: (step: TextStep) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface TextStep {
  /** Network calls done, and in all, of every batch together. */
  readonly done: number;
  readonly total: number;
  /** Indices into `seeds` of the images under way. */
  readonly images: { readonly from: number; readonly to: number };
  /** The clean images expected now, decoded [images, 3, H, W] in about [-1, 1]; costs a decoder call. */
  preview(): Promise<TensorData>;
}

/** What a person should know of how a prompt was read. */
export interface PromptReading {
  /** The end that did not fit; '' for most prompts. */
  readonly truncated: string;
  /** Words of which the model's small vocabulary knows only letters. */
  readonly unknownWords: readonly string[];
}

/** Whose weights made the pixels. */
export interface DecoderOrigin {
  /** Absolute. */
  readonly folder: string;
  /** Of the weights, hex. */
  readonly sha256: string;
}

export interface TextImages {
  /** [seeds, 3, H, W], in [-1, 1] up to overshoot. */
  readonly images: TensorData;
  /** Unscaled, [seeds, C, h, w]. */
  readonly latents: TensorData;
  readonly prompt: PromptReading;
  readonly negativePrompt: PromptReading;
  /** As it was done, defaults filled in. */
  readonly steps: number;
  readonly guidance: number;
  /** Null for a generator's single call. */
  readonly scheduler: SamplerName | null;
  /** Network calls per image; a call with guidance counts once. */
  readonly calls: number;
  /** Wall time per image, without compiling. */
  readonly secondsPerImage: number;
  /** Null: the model's own. */
  readonly decoder: DecoderOrigin | null;
}

export interface Settled {
  readonly steps: number;
  readonly guidance: number;
  readonly size: readonly [number, number];
}

/** Height and width of its images are multiples of this: the decoder's factor, and a half for every level of the UNet. */
export function sizeStepOf({ vae, unet }: TextModel): number {
  return vae.downFactor * 2 ** (unet.config.block_out_channels.length - 1);
}

/** Fills in the defaults. Throws UserError('usage') for what the model cannot do. */
export function settle(request: TextRequest, model: TextModel): Settled {
  const { calling, imageSize, name } = model;
  const { steps = calling.steps, guidance = calling.guidance, size = imageSize, seeds } = request;
  if (seeds.length === 0) throw new Error('no seeds');
  const most = calling.oneStep ? calling.steps : Number.POSITIVE_INFINITY;
  const kind = most === 1 ? 'one-step generator' : `generator of ${most} steps`;
  if (calling.oneStep && (steps > most || request.scheduler !== undefined)) {
    const message = `${name} is a ${kind}: it takes no ${steps > most ? `${steps} steps` : 'scheduler'}`;
    throw new UserError('usage', message, 'Leave --steps and --scheduler out, or name its teacher.');
  }
  if (calling.oneStep && guidance > 1) {
    const message = `${name} is a ${kind}: its guidance was fixed when it was distilled`;
    throw new UserError('usage', message, 'Leave --guidance out, or name its teacher.');
  }
  const multiple = sizeStepOf(model);
  const wrong = size.find((pixels) => !Number.isInteger(pixels) || pixels < multiple || pixels % multiple !== 0);
  if (wrong !== undefined) {
    throw new UserError(
      'usage',
      `${name} makes no pictures of ${size.join(' x ')}`,
      `Sides are multiples of ${multiple}.`,
    );
  }
  return { steps, guidance, size };
}

/**
 * What draws it; null for a generator's single call. Throws UserError: 'usage' for an eta that it does not have, 'config' for a
 * sampler that is not here.
 */
export function samplerFor({ scheduler, eta = 0 }: Omit<TextRequest, 'prompt'>, model: TextModel): VpSampler | null {
  const sampler = model.calling.oneStep ? null : model.sampler(scheduler);
  if (eta === 0 || sampler?.name === 'ddim') return sampler;
  const what = sampler ? `the scheduler ${sampler.name} has no eta` : `${model.name} makes one step, which has no eta`;
  throw new UserError('usage', what, 'Take --scheduler ddim with a model of many steps, or leave --eta out.');
}
