/** Text-to-image networks of latents as diffusion models: whole timesteps of a VP schedule, and a text's embedding. */
import type { Prediction } from '../diffusion/prediction.ts';
import type { VpSchedule } from '../diffusion/vp/index.ts';
import type { Tensor } from '../graph/graph.ts';
import type { ParameterLayout, ParameterSource } from '../graph/parameters.ts';
import type { DiffusionModel } from './diffusion-model.ts';

/** `nets/stable-diffusion/` provides it. */
export interface LatentNetwork {
  readonly layout: ParameterLayout;
  /** [C, h, w]. */
  readonly latentShape: readonly [number, number, number];
  /** Width of the text embeddings. */
  readonly contextDim: number;
  /** Noise, v or image [B, C, h, w] for sample [B, C, h, w], timestep [B] (whole numbers), context [B, L, contextDim]. */
  predict(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor;
  /** The middle block's features of the same, [B, features, h, w]; left out by what has none. */
  bottleneck?(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor;
}

export interface LatentOptions {
  readonly prediction: Prediction;
  readonly schedule: VpSchedule;
  /** Tokens of a text embedding. */
  readonly tokens: number;
}

/** The generator is called at the last timestep, where x_t is all but noise. */
export function latentModel(network: LatentNetwork, { prediction, schedule, tokens }: LatentOptions): DiffusionModel {
  const { timesteps, alpha, sigma } = schedule;
  const last = timesteps - 1;
  return {
    layout: network.layout,
    shape: network.latentShape,
    conditions: { context: [tokens, network.contextDim] },
    prediction,
    levels: {
      count: timesteps,
      numbers: { timestep: (t) => t, alpha, sigma },
      roles: { t: 'timestep', alpha: 'alpha', sigma: 'sigma' },
    },
    calledAt: { scale: 1, t: last, alpha: alpha(last), sigma: sigma(last) },
    predict: (source, xt, t, { context }) => network.predict(source, xt, t, context!),
    ...(network.bottleneck
      ? { features: (source, xt, t, { context }) => network.bottleneck!(source, xt, t, context!) }
      : {}),
    lossWeight: null,
  };
}
