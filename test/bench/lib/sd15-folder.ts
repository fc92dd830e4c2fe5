/** A folder of Stable Diffusion 1.5's size with made-up weights: a one-step generator, and a tiny decoder for its latents. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../backend/files/package.ts';
import type { ParameterLayout } from '../../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../../backend/graph/tensor-data.ts';
import {
  createAutoencoderKL,
  createAutoencoderTiny,
  createClipText,
  createTextUNet,
} from '../../../backend/nets/stable-diffusion/index.ts';
import { stream } from '../../../backend/random/stream.ts';
import { trainBpe, vocabularyFiles } from '../../../backend/text/index.ts';
import { writeComponent, writeDiffusersFolder } from '../../../backend/weights/diffusers/index.ts';

/** Read when it is wanted: rows without such a model are measured where the file is not. */
function config(name: string): Record<string, unknown> {
  const recorded = readFileSync(path.join(packageRoot(), 'test/golden/cases-sd/full-size.json'), 'utf8');
  return (JSON.parse(recorded) as Record<string, { config: Record<string, unknown> }>)[name]!.config;
}

/** @returns how many numbers the model has, without the tiny decoder; that one is in `taesd` within the folder */
export async function writeSd15(folder: string, half = false): Promise<{ parameters: number }> {
  const vocabulary = trainBpe(['a cat'], 600);
  const unet = createTextUNet(config('sd1-unet'));
  const text = createClipText(config('sd1-text'));
  const vae = createAutoencoderKL(config('sd-autoencoder'));
  const network = (className: string, name: string, { layout }: { layout: ParameterLayout }) => ({
    ...{ className, config: config(name), tensors: made(layout) },
  });
  await writeDiffusersFolder(
    folder,
    {
      unet: network('UNet2DConditionModel', 'sd1-unet', unet),
      vae: network('AutoencoderKL', 'sd-autoencoder', vae),
      text_encoder: network('CLIPTextModel', 'sd1-text', text),
      tokenizer: vocabularyFiles(vocabulary),
      scheduler: { className: 'DDIMScheduler', config: { beta_schedule: 'scaled_linear', clip_sample: false } },
      dmd: { role: 'generator' },
    },
    { half },
  );
  const tiny = network('AutoencoderTiny', 'taesd', createAutoencoderTiny(config('taesd')));
  await writeComponent(path.join(folder, 'taesd'), 'vae', tiny, { half });
  return { parameters: unet.layout.size + text.layout.size + vae.layout.size };
}

/** Where the tiny decoder lies. */
export const tinyDecoder = (folder: string) => path.join(folder, 'taesd', 'vae');

/**
 * Rows of unit variance over their number of inputs, norms about one: values of the size that a trained network has, cut out of
 * one block of noise at a place that the name says.
 */
function* made({ entries }: ParameterLayout): Generator<[string, TensorData]> {
  const most = Math.max(...entries.map(({ shape }) => sizeOf(shape)));
  const noise = stream(15, 'weights').randn(2 ** 20);
  const numbers = new Float32Array(most);
  for (const [i, { name, shape }] of entries.entries()) {
    const size = sizeOf(shape);
    const isRow = shape.length === 1;
    const scale = isRow ? 0.1 : Math.sqrt(1 / (size / shape[0]!));
    const centre = isRow && name.endsWith('.weight') ? 1 : 0;
    for (let k = 0; k < size; k++) numbers[k] = centre + scale * noise[(k + 7919 * i) % noise.length]!;
    yield [name, { shape, data: numbers.subarray(0, size) }];
  }
}
