/** The regression loss of latents: theirs, or that of the images they decode to. */

import type { TensorData } from '../../../graph/tensor-data.ts';
import type { TextTeacher } from '../../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../../protocol/config/index.ts';
import { type Distance, l2Distance } from '../generator-graph.ts';
import { type OpenDistance, openDistance } from '../regression-distance.ts';
import { type Decoder, decodeWith, openDecoder } from './decoder.ts';

export interface OpenLatentDistance {
  readonly inputs: OpenDistance['inputs'];
  /** Reads the decoder's weights, or takes these. */
  create(weights?: (decoder: Decoder) => ReadonlyMap<string, TensorData>): Promise<Distance>;
}

/** Throws UserError that names the key, file or tensor. With the regression switched off no file is opened. */
export async function openLatentDistance(config: DistillConfig, teacher: TextTeacher): Promise<OpenLatentDistance> {
  const { regression, text } = config;
  if (!regression.enabled || text.regressionSpace === 'latent') return { inputs: {}, create: async () => l2Distance };
  const decoder = await openDecoder(text.decoder ?? null, teacher);
  const [height, width] = teacher.model.imageSize;
  const image = {
    network: { imageShape: [decoder.vae.imageChannels, height, width] as const },
    path: config.teacher,
  };
  const { distance, inputs } = await openDistance(config, image);
  const key = text.decoder === undefined ? 'teacher (vae)' : 'text.decoder';
  return {
    inputs: { [key]: decoder.input, ...inputs },
    create: async (weights) => onImages(distance, decoder, weights?.(decoder) ?? (await decoder.readWeights())),
  };
}

function onImages(distance: Distance, decoder: Decoder, weights: ReadonlyMap<string, TensorData>): Distance {
  const decode = decodeWith(decoder, weights);
  return (a, b) => distance(decode(a), decode(b));
}
