/**
 * The loss a text-to-image teacher is trained with (Ho et al., arXiv 2006.11239, Eq. 14; Salimans and Ho, arXiv 2202.00512
 * for v), through U-Net and text encoder, whose parameters are one flat buffer: a joint layout.
 */
import { targetOf } from '../diffusion/prediction.ts';
import { gradients } from '../graph/gradients.ts';
import { Graph, type Tensor } from '../graph/graph.ts';
import { add, mean, mul, reshape, square, sub } from '../graph/ops/index.ts';
import { outputGradient, type ParameterLayout, type ParameterSource, parameterInputs } from '../graph/parameters.ts';
import { onTensors } from '../models/diffusion-model.ts';
import { sourceOf } from './joint-layout.ts';

export interface TextConditioned {
  readonly unet: {
    readonly layout: ParameterLayout;
    /** [C, h, w]. */
    readonly latentShape: readonly [number, number, number];
    predict(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor;
  };
  readonly textEncoder: {
    readonly layout: ParameterLayout;
    readonly maxTokens: number;
    encode(source: ParameterSource, ids: Tensor): Tensor;
  };
}

export type PredictionType = 'epsilon' | 'v_prediction';

/** The networks' names in the joint layout: those of the folders they are stored in. */
export const textParts = { textEncoder: 'text_encoder', unet: 'unet' } as const;

/** The U-Net's prediction [B, C, h, w] for ids [B, L]. */
export function predictFromIds(
  { unet, textEncoder }: TextConditioned,
  source: ParameterSource,
  { sample, timestep, ids }: { readonly sample: Tensor; readonly timestep: Tensor; readonly ids: Tensor },
): Tensor {
  const context = textEncoder.encode(sourceOf(source, textParts.textEncoder), ids);
  return unet.predict(sourceOf(source, textParts.unet), sample, timestep, context);
}

/**
 * Inputs: parameters [N], latents and noise [B, C, h, w], ids [B, L], timestep [B], and of that timestep alpha, sigma and
 * weight [B]. Outputs: loss [1], gradient [N].
 */
export function textLossGraph(
  networks: TextConditioned,
  layout: ParameterLayout,
  batch: number,
  predictionType: PredictionType,
): Graph {
  const graph = new Graph();
  const shape = [batch, ...networks.unet.latentShape];
  const parameters = parameterInputs(graph, 'parameters', layout);
  const latents = graph.input('latents', shape);
  const noise = graph.input('noise', shape);
  const ids = graph.input('ids', [batch, networks.textEncoder.maxTokens]);
  const timestep = graph.input('timestep', [batch]);
  const [alpha, sigma, weight] = ['alpha', 'sigma', 'weight'].map((name) =>
    reshape(graph.input(name, [batch]), [batch, 1, 1, 1]),
  );
  const sample = add(mul(latents, alpha), mul(noise, sigma));
  const target = targetOf(onTensors, predictionType, latents, noise, alpha!, sigma!);
  const prediction = predictFromIds(networks, parameters, { sample, timestep, ids });
  const loss = mean(mul(weight, square(sub(prediction, target))));
  graph.output('loss', reshape(loss, [1]));
  outputGradient(layout, gradients(loss, parameters.tensors));
  return graph;
}

/**
 * A noise level's weight in the loss: at most `gamma` of its signal-to-noise ratio counts (Hang et al., arXiv 2303.09556,
 * Eq. 6 for epsilon; for v, whose own weight is snr + 1, as its appendix). gamma 0: 1 for every level.
 */
export function snrWeight(alpha: number, sigma: number, gamma: number, predictionType: PredictionType): number {
  if (gamma === 0) return 1;
  const snr = (alpha / sigma) ** 2;
  return Math.min(snr, gamma) / (predictionType === 'epsilon' ? snr : snr + 1);
}
