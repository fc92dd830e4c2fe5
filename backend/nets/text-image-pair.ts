/**
 * CLIP's text encoder beside a small convolutional image encoder, both projected into one space (Radford et al. 2021,
 * arXiv 2103.00020, whose image encoders are ResNets and vision transformers). The image encoder's last layer has a weight of
 * its own for every place of the image, so that it learns where things are within minutes; a small vision transformer saw
 * only colours in that time.
 */
import type { Tensor } from '../graph/graph.ts';
import { reshape, silu } from '../graph/ops/index.ts';
import type { ParameterSource } from '../graph/parameters.ts';
import { projectTexts } from './clip-vision.ts';
import { scoped } from './edm/layers.ts';
import type { TextEncoder } from './stable-diffusion/clip-text.ts';
import { convLayer, linearLayer, normSilu } from './stable-diffusion/layers.ts';

export interface TextImagePair {
  /** Pixels per side of the images. */
  readonly imageSide: number;
  /** Tokens of a text, its begin and end included. */
  readonly maxTokens: number;
  /** pixels [B, 3, imageSide, imageSide] in [-1, 1] -> [B, dims], of any length. */
  embedImages(source: ParameterSource, pixels: Tensor): Tensor;
  /** ids [B, L] and end [B, L] as `ClipModel` takes them -> [B, dims], of any length. */
  embedTexts(source: ParameterSource, ids: Tensor, end: Tensor): Tensor;
}

export interface ImageEncoderConfig {
  /** The first layer cuts the image into patches of 4x4 pixels, each further one halves it. */
  readonly channels: readonly number[];
  readonly norm_num_groups: number;
}

const patch = 4;

/**
 * The text encoder's parameters keep their names; beside them are text_projection.weight, image_encoder.0.weight, ...
 * @param dims numbers of an embedding
 */
export function createTextImagePair(
  text: TextEncoder,
  images: ImageEncoderConfig & { readonly side: number },
  dims: number,
): TextImagePair {
  return {
    imageSide: images.side,
    maxTokens: text.maxTokens,
    embedImages: (source, pixels) => encodeImages(scoped(source, 'image_encoder'), images, pixels, dims),
    embedTexts: (source, ids, end) => projectTexts(source, text, { ids, end }, dims),
  };
}

function encodeImages(p: ParameterSource, config: ImageEncoderConfig, pixels: Tensor, dims: number): Tensor {
  const { channels, norm_num_groups: groups } = config;
  const [first, ...others] = channels;
  let h = silu(convLayer(p, '0', pixels, first!, { kernel: patch, stride: patch }));
  others.forEach((count, i) => {
    h = convLayer(p, `${i + 1}`, h, count, { kernel: 3, stride: 2, padding: 1 });
    h = normSilu(p, `norm${i + 1}`, h, groups, 1e-5);
  });
  const [batch, depth, height, width] = h.shape;
  return linearLayer(p, 'out', reshape(h, [batch, depth * height * width]), dims);
}
