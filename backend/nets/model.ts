/** Chooses the raw network F that a configuration names. */
import type { Tensor } from '../graph/graph.ts';
import type { ParameterSource } from '../graph/parameters.ts';
import type { NetworkConfig } from './config.ts';
import { dhariwalNoiseEmbedding, dhariwalUNet } from './edm/dhariwal-unet.ts';
import { songNoiseEmbedding, songUNet } from './edm/song-unet.ts';
import type { Conditions, UNetShape } from './edm/unet.ts';
import { mlp, mlpNoiseEmbedding } from './mlp.ts';

export interface Model {
  forward(p: ParameterSource, shape: UNetShape, x: Tensor, conditions: Conditions): Tensor;
  noiseEmbedding(p: ParameterSource, noise: Tensor): Tensor;
}

export function modelOf(config: NetworkConfig): Model {
  switch (config.model_type) {
    case 'SongUNet':
      return {
        forward: (p, shape, x, conditions) => songUNet(p, config, shape, x, conditions),
        noiseEmbedding: (p, noise) => songNoiseEmbedding(p, config, noise),
      };
    case 'DhariwalUNet':
      return {
        forward: (p, shape, x, conditions) => dhariwalUNet(p, config, shape, x, conditions),
        noiseEmbedding: (_, noise) => dhariwalNoiseEmbedding(config, noise),
      };
    case 'MLP':
      return {
        forward: (p, shape, x, conditions) => mlp(p, config, shape, x, conditions),
        noiseEmbedding: (_, noise) => mlpNoiseEmbedding(config, noise),
      };
  }
}
