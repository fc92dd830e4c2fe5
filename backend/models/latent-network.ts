/** What latent distillation needs of a text-to-image network; `nets/stable-diffusion/` provides it. */
import type { PredictionType } from '../diffusion/vp/index.ts';
import type { Tensor } from '../graph/graph.ts';
import { broadcastTo, concat, sliceAxis } from '../graph/ops/index.ts';
import type { ParameterLayout, ParameterSource } from '../graph/parameters.ts';
import { guided, type Level, x0FromPrediction } from './latent-formulas.ts';

export interface LatentNetwork {
  readonly layout: ParameterLayout;
  /** [C, h, w]. */
  readonly latentShape: readonly [number, number, number];
  /** Width of the text embeddings. */
  readonly contextDim: number;
  /** Noise, v or image [B, C, h, w] for sample [B, C, h, w], timestep [B] (whole numbers), context [B, L, contextDim]. */
  predict(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor;
}

/** A network, and how its prediction is read. */
export interface LatentModel {
  readonly network: LatentNetwork;
  readonly prediction: PredictionType;
}

/** mu(x_t, t | text): the denoised latents [B, C, h, w]. */
export function denoised(
  { network, prediction }: LatentModel,
  source: ParameterSource,
  xt: Tensor,
  level: Level,
  context: Tensor,
): Tensor {
  return x0FromPrediction(prediction, xt, network.predict(source, xt, level.timestep, context), level);
}

/**
 * `denoised` with classifier-free guidance: one call on the doubled batch [unconditional, conditional].
 * @param unconditional the empty prompt's embedding [1, L, contextDim]
 */
export function denoisedGuided(
  { network, prediction }: LatentModel,
  source: ParameterSource,
  xt: Tensor,
  level: Level,
  context: Tensor,
  unconditional: Tensor,
  scale: number,
): Tensor {
  const [batch] = xt.shape;
  const twice = (tensor: Tensor) => concat([tensor, tensor], 0);
  const contexts = concat([broadcastTo(unconditional, context.shape), context], 0);
  const both = network.predict(source, twice(xt), twice(level.timestep), contexts);
  const mixed = guided(sliceAxis(both, 0, 0, batch), sliceAxis(both, 0, batch, 2 * batch), scale);
  return x0FromPrediction(prediction, xt, mixed, level);
}
