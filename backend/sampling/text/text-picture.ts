/** The text chunks of a picture that a prompt made, as picture-text.ts has them for other models. */
import { basename, dirname } from 'node:path';
import { hashOf } from '../../data/pair-shard.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import type { GenerateSettings } from '../../protocol/rpc/images.ts';
import type { Seed } from '../../protocol/seed.ts';
import { componentOf, hasVariant, onnxWeightsOf, weightFilesOf } from '../../weights/diffusers/index.ts';
import { type PictureMaker, pictureText } from '../picture-text.ts';
import type { TextImages, TextRequest } from './text-request.ts';

export interface TextPictureMaker {
  /** A `builtin:` name, or an absolute path. */
  readonly model: string;
  /** Of the UNet's weights, hex: what tells a model from its relatives. */
  readonly sha256: string;
  readonly role: 'teacher' | 'generator';
  readonly device: string;
  readonly request: TextRequest;
  readonly drawn: TextImages;
  /** Of the model's options, where they were asked for. */
  readonly clipSkip?: number;
  readonly variant?: string | undefined;
}

/** By keyword, for the picture of one seed. */
export function textPictureText(maker: TextPictureMaker, seed: Seed): Record<string, string> {
  const { request, drawn, model, device, clipSkip = 0, variant } = maker;
  const { negativePrompt = '', scheduler, size, eta } = request;
  const guided = drawn.guidance > 1;
  const settings: GenerateSettings = {
    ...{ model, seeds: [seed], classes: null, prompt: request.prompt, steps: drawn.steps, device: 'auto' },
    ...(guided ? { negative: negativePrompt, guidance: drawn.guidance } : {}),
    ...(scheduler === undefined ? {} : { sampler: scheduler }),
    ...(size === undefined ? {} : { size: [...size] }),
    ...(drawn.decoder ? { decoder: drawn.decoder.folder } : {}),
  };
  const common: PictureMaker = {
    ...{ model, sha256: maker.sha256, role: maker.role, steps: drawn.steps, device },
    ...{ sampler: { name: drawn.scheduler, ...(eta ? { eta } : {}) }, sigma: null, run: null, metadata: {} },
  };
  // Added noise, layers left out and other weights are more than settings can say.
  const sayable = !eta && clipSkip === 0 && variant === undefined;
  return {
    ...pictureText(common, { seed, class: null, className: '', settings: sayable ? settings : null }),
    'dmd.prompt': request.prompt,
    ...(clipSkip === 0 ? {} : { 'dmd.clipSkip': String(clipSkip) }),
    ...(variant === undefined ? {} : { 'dmd.variant': variant }),
    ...(drawn.decoder ? { 'dmd.decoder': drawn.decoder.folder, 'dmd.decoderSha256': drawn.decoder.sha256 } : {}),
    ...(guided ? { 'dmd.negative': negativePrompt, 'dmd.guidance': String(drawn.guidance) } : {}),
  };
}

/** The UNet's hash. */
export async function unetHash({ folder, onnx, variant }: TextModel): Promise<string> {
  const unet = componentOf(folder, 'unet');
  const wanted = variant !== undefined && hasVariant(unet, variant) ? variant : undefined;
  return filesHash(onnx ? onnxWeightsOf(folder, 'unet') : weightFilesOf(unet, wanted).files);
}

/** Of a network's weights, hex. In the hub's cache, files are named by theirs; elsewhere this reads them. */
export async function filesHash(files: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const file of files) {
    const isBlob = basename(dirname(file)) === 'blobs' && /^[0-9a-f]{64}$/.test(basename(file));
    hashes.push(isBlob ? basename(file) : ((await hashOf(file)) ?? ''));
  }
  return hashes.join('+');
}
