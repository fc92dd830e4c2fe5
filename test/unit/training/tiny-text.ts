/** Configs of text models that take milliseconds per iteration; what is left out is as in tiny.ts. */
import { type Config, parseConfig } from '../../../backend/protocol/config/index.ts';

const base = {
  ...{ name: 'tiny', device: 'cpu', threads: 1, batch: 2, iterations: 4, data: { seed: 3, count: 40 } },
  ...{ optimizer: { warmup: 1, lr: 1e-3 }, ema: 0.5, checkpoint: { every: 0 } },
};

/** Latents [2, 8, 8] of 64 x 64 images. */
export function autoencoderConfig(change: object = {}): Config {
  const config = {
    ...{ kind: 'teach-autoencoder', seed: 13, ...base, scaleImages: 40 },
    network: { block_out_channels: [4, 4, 4, 8], latent_channels: 2, norm_num_groups: 2 },
    record: { samplesEvery: 0, histogramsEvery: 0 },
  };
  return parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
}

export function textConfig(vae: string, change: object = {}): Config {
  const config = {
    ...{ kind: 'teach-text', seed: 14, ...base, vae, vocabulary: 1000 },
    unet: { block_out_channels: [8, 8], attention: [false, true], attention_head_dim: 2, norm_num_groups: 4 },
    text_encoder: { hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
    record: { samplesEvery: 0, histogramsEvery: 0 },
  };
  return parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
}

/** A text encoder with the sizes of `textConfig`. */
export function textEncoderConfig(change: object = {}): Config {
  const config = {
    ...{ kind: 'teach-text-encoder', seed: 15, ...base, batch: 3, vocabulary: 1000, embedding: 6 },
    text_encoder: { hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
    image_encoder: { channels: [4, 4], norm_num_groups: 2 },
    record: { measureEvery: 0, histogramsEvery: 0 },
  };
  return parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
}
