/**
 * CLIP score: how well a picture fits its prompt, 100 max(0, cosine) of their embeddings (Hessel et al. 2021, arXiv 2104.08718,
 * with the factor 100 of the text-to-image papers and torchmetrics instead of 2.5). It depends on the CLIP network, whose
 * name belongs beside the number; and what pictures go through first, which is transformers' CLIPImageProcessor.
 */

import { z } from 'zod';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { safeParse } from '../protocol/config/safe-parse.ts';
import { UserError } from '../protocol/errors.ts';
import { asColours, byteOf } from './inception/preprocess.ts';
import { resample } from './resample.ts';

/** One score per row of images and texts, [N, D] each, of any length but 0. */
export function clipScores(images: TensorData, texts: TensorData): number[] {
  const [count, dims] = images.shape;
  if (images.shape.join() !== texts.shape.join()) {
    throw new Error(`embeddings are [${images.shape}] and [${texts.shape}]`);
  }
  return Array.from({ length: count }, (_, i) => {
    let [product, image, text] = [0, 0, 0];
    for (let k = i * dims; k < (i + 1) * dims; k++) {
      product += images.data[k]! * texts.data[k]!;
      image += images.data[k]! ** 2;
      text += texts.data[k]! ** 2;
    }
    return 100 * Math.max(0, product / Math.sqrt(image * text));
  });
}

const triple = z.tuple([z.number(), z.number(), z.number()]);
const side = z.int().positive();
const yes = z.literal(true).default(true);
const processorSchema = z.looseObject({
  do_resize: yes,
  do_center_crop: yes,
  do_rescale: yes,
  do_normalize: yes,
  // Pillow's number for bicubic.
  resample: z.literal(3).default(3),
  rescale_factor: z
    .number()
    .refine((factor) => Math.abs(factor * 255 - 1) < 1e-6, 'only 1/255 is known')
    .default(1 / 255),
  size: z.union([side, z.looseObject({ shortest_edge: side })]).default(224),
  crop_size: z.union([side, z.looseObject({ height: side, width: side })]).default(224),
  image_mean: triple.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: triple.default([0.26862954, 0.26130258, 0.27577711]),
});

export interface ClipProcessor {
  /** Of the shorter side, after resizing; the crop's side too. */
  readonly side: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * A CLIP folder's preprocessor_config.json; {} gives CLIP's own. Throws UserError('config') for what is not done here.
 * @param where the file, for messages
 */
export function clipProcessor(raw: unknown, where: string): ClipProcessor {
  const parsed = safeParse(processorSchema, raw);
  const hint = 'Only the preprocessing of CLIP is supported.';
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new UserError('config', `${where}: ${path.join('.') || 'the file'}: ${message}`, hint);
  }
  const { size, crop_size: crop, image_mean: mean, image_std: std } = parsed.data;
  const edge = typeof size === 'number' ? size : size.shortest_edge;
  const { height, width } = typeof crop === 'number' ? { height: crop, width: crop } : crop;
  if (height !== edge || width !== edge) {
    const message = `${where}: resizing to ${edge} and cropping to ${height} x ${width} is not supported`;
    throw new UserError('config', message, hint);
  }
  return { side: edge, mean, std };
}

/**
 * images [B, 1 or 3, H, W] in [-1, 1] -> [B, 3, side, side]: rounded to bytes as they would be saved, the shorter side resized
 * with Pillow's bicubic on bytes, the middle cut out, standardised.
 */
export function clipImages(images: TensorData, { side, mean, std }: ClipProcessor): TensorData {
  const [height, width] = images.shape.slice(2);
  const shorter = Math.min(height, width);
  const [tall, wide] = [height, width].map((edge) => (edge === shorter ? side : Math.trunc((side * edge) / shorter)));
  const bytes = asColours({ shape: images.shape, data: images.data.map(byteOf) });
  const resized = resample(bytes, tall, wide, 'bicubic', { bytes: true });
  const [top, left] = [Math.floor((tall - side) / 2), Math.floor((wide - side) / 2)];
  const shape = [images.shape[0], 3, side, side];
  const data = new Float32Array(sizeOf(shape));
  for (let row = 0; row < shape[0] * 3 * side; row++) {
    const plane = Math.floor(row / side);
    const from = (plane * tall + top + (row % side)) * wide + left;
    const [shift, scale] = [mean[plane % 3]!, std[plane % 3]!];
    for (let x = 0; x < side; x++) data[row * side + x] = (resized.data[from + x]! / 255 - shift) / scale;
  }
  return { shape, data };
}
