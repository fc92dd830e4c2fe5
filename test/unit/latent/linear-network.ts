/** A latent network whose every number can be worked out by hand: linear in sample, time and text. */

import type { Tensor } from '../../../backend/graph/graph.ts';
import { add, matmul, mean, mul, reshape } from '../../../backend/graph/ops/index.ts';
import { collectParameters, type ParameterSource } from '../../../backend/graph/parameters.ts';
import type { LatentNetwork } from '../../../backend/models/latent-model.ts';

export const latentShape = [2, 3, 2] as const;
export const tokens = 4;
export const contextDim = 5;
const [channels] = latentShape;

/** scale_c sample + time_c t/1000 + (W mean over tokens of the context)_c; `attn.to_q.weight` is W, so that adapters fit on it. */
function predict(source: ParameterSource, sample: Tensor, timestep: Tensor, context: Tensor): Tensor {
  const [batch] = sample.shape;
  const perChannel = (name: string) => reshape(source.get(name, [channels], { kind: 'zeros' }), [1, channels, 1, 1]);
  const weight = source.get('attn.to_q.weight', [channels, contextDim], { kind: 'zeros' });
  const text = matmul(mean(context, { axes: [1] }), weight, { transB: true });
  const time = mul(reshape(mul(timestep, 1 / 1000), [batch, 1, 1, 1]), perChannel('time'));
  return add(add(mul(sample, perChannel('scale')), time), reshape(text, [batch, channels, 1, 1]));
}

export const linearNetwork: LatentNetwork = {
  layout: collectParameters((source) =>
    predict(
      source,
      source.graph.input('sample', [1, ...latentShape]),
      source.graph.input('timestep', [1]),
      source.graph.input('context', [1, tokens, contextDim]),
    ),
  ),
  latentShape,
  contextDim,
  predict,
};

/** Flat parameters: time [C], scale [C] and W [C, D] in the layout's order. */
export interface LinearWeights {
  readonly scale: readonly number[];
  readonly time: readonly number[];
  readonly text: readonly number[];
}

export function linearWeights(flat: Float32Array): LinearWeights {
  const of = (name: string, count: number) => {
    const { offset } = linearNetwork.layout.entries.find((entry) => entry.name === name)!;
    return [...flat.subarray(offset, offset + count)];
  };
  return {
    scale: of('scale', channels),
    time: of('time', channels),
    text: of('attn.to_q.weight', channels * contextDim),
  };
}

/** The same network on the host: one image's prediction [C, h, w]; context [L, D], flat. */
export function predictLinear(
  w: LinearWeights,
  sample: readonly number[],
  t: number,
  context: readonly number[],
): number[] {
  const mean = meanContext(context);
  const numbers = sample.length / channels;
  return sample.map((value, i) => {
    const c = Math.floor(i / numbers);
    let text = 0;
    for (let d = 0; d < contextDim; d++) text += w.text[c * contextDim + d] * mean[d];
    return w.scale[c] * value + (w.time[c] * t) / 1000 + text;
  });
}

export function meanContext(context: readonly number[]): number[] {
  return Array.from({ length: contextDim }, (_, d) => {
    let sum = 0;
    for (let token = 0; token < tokens; token++) sum += context[token * contextDim + d];
    return sum / tokens;
  });
}

/** d (sum of cotangent * prediction) / d parameters, laid out as the network's flat parameters. */
export function gradientLinear(
  sample: readonly number[],
  t: number,
  context: readonly number[],
  cotangent: readonly number[],
): Float64Array {
  const { layout } = linearNetwork;
  const gradient = new Float64Array(layout.size);
  const start = (name: string) => layout.entries.find((entry) => entry.name === name)!.offset;
  const mean = meanContext(context);
  const numbers = sample.length / channels;
  cotangent.forEach((g, i) => {
    const c = Math.floor(i / numbers);
    gradient[start('scale') + c] += g * sample[i];
    gradient[start('time') + c] += (g * t) / 1000;
    for (let d = 0; d < contextDim; d++) gradient[start('attn.to_q.weight') + c * contextDim + d] += g * mean[d];
  });
  return gradient;
}
