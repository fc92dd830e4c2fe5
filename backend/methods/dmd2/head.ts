/**
 * The discriminator's head on a network's bottleneck features, in the shape that DMD2 has for ImageNet: convolutions of 4 x 4 that
 * halve the features down to 4 x 4, one over all of what is left, and a number per image; group normalisation and SiLU between.
 */
import { Graph, type Tensor } from '../../graph/graph.ts';
import { conv2d, groupNorm, reshape, silu } from '../../graph/ops/index.ts';
import {
  collectParameters,
  type ParameterLayout,
  type ParameterSource,
  parameterInputs,
} from '../../graph/parameters.ts';
import { conditionInputs, type DiffusionModel } from '../../models/diffusion-model.ts';

export interface Head {
  readonly layout: ParameterLayout;
  /** Logits [B], above 0 for real, of features [B, C, h, w]. */
  logits(source: ParameterSource, features: Tensor): Tensor;
}

/** Null for a network without features. */
export function headOf(model: DiffusionModel): Head | null {
  if (!model.features) return null;
  const graph = new Graph();
  const source = parameterInputs(graph, 'parameters', model.layout);
  const xt = graph.input('xt', [1, ...model.shape]);
  const { shape } = model.features(source, xt, graph.input('t', [1]), conditionInputs(graph, model, 1));
  const layout = collectParameters((own) => logits(own, own.graph.input('features', shape)));
  return { layout, logits };
}

/** Down to this many rows and columns by halves. */
const last = 4;
const epsilon = 1e-5;

function logits(p: ParameterSource, features: Tensor): Tensor {
  const [batch, channels] = features.shape as [number, number];
  let h = features;
  let layer = 0;
  const normalized = (name: string, x: Tensor) => {
    const weight = p.get(`${name}.weight`, [channels], { kind: 'ones' });
    const bias = p.get(`${name}.bias`, [channels], { kind: 'zeros' });
    return silu(groupNorm(x, weight, bias, groupsOf(channels), epsilon));
  };
  const convolved = (name: string, x: Tensor, out: number, kernel: readonly [number, number], halves: boolean) => {
    // As torch begins a convolution.
    const bound = 1 / Math.sqrt(channels * kernel[0] * kernel[1]);
    const weight = p.get(`${name}.weight`, [out, channels, ...kernel], { kind: 'uniform', bound });
    const bias = p.get(`${name}.bias`, [out], { kind: 'uniform', bound });
    return conv2d(x, weight, bias, halves ? { stride: 2, padding: 1 } : {});
  };
  while (Math.min(h.shape[2]!, h.shape[3]!) > last) {
    h = normalized(`norm${layer}`, convolved(`conv${layer}`, h, channels, [4, 4], true));
    layer += 1;
  }
  h = normalized(`norm${layer}`, convolved(`conv${layer}`, h, channels, [h.shape[2]!, h.shape[3]!], false));
  return reshape(convolved('out', h, 1, [1, 1], false), [batch]);
}

/** At most 32, of four channels at least, as EDM's rule, but for numbers of channels that it refuses. */
function groupsOf(channels: number): number {
  for (let groups = Math.min(32, Math.floor(channels / 4)); groups > 1; groups--) {
    if (channels % groups === 0) return groups;
  }
  return 1;
}
