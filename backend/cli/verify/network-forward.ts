/**
 * Kinds `edm-precond-forward` and `precond-forward`: a preconditioned network's outputs and gradients, and what its
 * preconditioning says about noise levels. What is computed is what case.json expects.
 */
import { gradients } from '../../graph/gradients.ts';
import { Graph, type Tensor } from '../../graph/graph.ts';
import { mul, sliceAxis, sum } from '../../graph/ops/index.ts';
import { packParameters, parameterInputs } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { Network } from '../../nets/index.ts';
import { iddpmLevels, nearestLevel } from '../../nets/precond/iddpm.ts';
import { vpSigma, vpTime } from '../../nets/precond/vp.ts';
import type { Case } from './case.ts';
import type { NumberArray } from './compare.ts';
import type { Kind } from './kind.ts';
import { networkOf } from './parameters.ts';
import { runOnce } from './run-once.ts';

export const networkForward: Kind = async ({ case: theCase, engine }) => {
  const { network, parameters } = await networkOf(theCase, theCase.json.config);
  const feeds: Record<string, TensorData> = {
    parameters: { shape: [network.layout.size], data: packParameters(network.layout, parameters) },
    ...networkInputs(theCase, network),
  };
  const graph = forwardGraph(theCase, network, feeds);
  const arrays: Map<string, NumberArray> = await runOnce(engine, graph, feeds);
  for (const [name, array] of noiseLevelArrays(theCase, network)) arrays.set(name, array);
  const scalars = new Map([
    ['sigma_min', network.sigmaMin],
    ['sigma_max', network.sigmaMax],
  ]);
  return { arrays, scalars };
};

function networkInputs(theCase: Case, network: Network): Record<string, TensorData> {
  const x = theCase.input('x', [-1, ...network.imageShape]);
  const [batch] = x.shape;
  const optional = (name: string, shape: readonly number[], wanted: boolean) =>
    wanted && theCase.has(name) ? { [name]: theCase.input(name, shape) } : {};
  return {
    x,
    sigma: theCase.input('sigma', [batch]),
    ...optional('class_labels', [batch, network.labelDim], network.labelDim > 0),
    ...optional('augment_labels', [batch, network.augmentDim], network.augmentDim > 0),
    ...optional('g', x.shape, true),
  };
}

/** Every expected array that is a result of the network, as outputs of the same names. */
function forwardGraph(theCase: Case, network: Network, feeds: Record<string, TensorData>): Graph {
  const graph = new Graph();
  const input = (name: string) => (feeds[name] ? graph.input(name, feeds[name].shape) : null);
  const p = parameterInputs(graph, 'parameters', network.layout);
  const [x, sigma] = [input('x')!, input('sigma')!];
  // A network with classes takes missing labels as zeros, and so its label map has a gradient, which is 0.
  const noLabels = () =>
    graph.constant([x.shape[0], network.labelDim], new Float32Array(x.shape[0] * network.labelDim));
  const labels = input('class_labels') ?? (network.labelDim > 0 ? noLabels() : null);
  const [augmentLabels, g] = [input('augment_labels'), input('g')];
  const noise = network.coefficients(sigma).noise;
  const denoised = network.denoise(p, x, sigma, labels);

  const results: Record<string, () => Tensor> = {
    D: () => denoised,
    D_nolabel: () => network.denoise(p, x, sigma, null),
    F_x: () => rawOutput(theCase, x, (part) => network.denoise(p, part(x), part(sigma), labels && part(labels), raw)),
    c_noise: () => noise,
    map_noise_out: () => network.noiseEmbedding(p, noise),
    ...(augmentLabels ? { D_augment: () => network.denoise(p, x, sigma, labels, { augmentLabels }) } : {}),
  };
  for (const [name, result] of Object.entries(results)) if (theCase.expects(name)) graph.output(name, result());

  const wanted = new Map<string, Tensor>();
  if (g && theCase.expects('grad_x')) wanted.set('grad_x', x);
  for (const { name, shape, init, role } of network.layout.entries) {
    if (g && role === 'trained' && theCase.expects(`grad:${name}`))
      wanted.set(`grad:${name}`, p.get(name, shape, init));
  }
  if (g && wanted.size > 0) {
    const found = gradients(sum(mul(denoised, g)), [...wanted.values()]);
    [...wanted.keys()].forEach((name, i) => {
      graph.output(name, found[i]);
    });
  }
  return graph;
}

const raw = { rawOutput: true };

/** F of the whole batch, or of sample 1 alone where the expected array holds one sample. */
function rawOutput(theCase: Case, x: Tensor, call: (part: (tensor: Tensor) => Tensor) => Tensor): Tensor {
  const [batch] = x.shape;
  if (theCase.array('F_x').shape[0] !== 1) return call((tensor) => tensor);
  const index = Math.min(1, batch - 1);
  return call((tensor) => sliceAxis(tensor, 0, index, index + 1));
}

/** Arrays about noise levels alone, which no network is needed for. */
function noiseLevelArrays(theCase: Case, network: Network): Map<string, NumberArray> {
  const { config } = network;
  const arrays = new Map<string, NumberArray>();
  const map = (from: string, to: string, compute: (value: number) => number) => {
    if (!theCase.has(from) || !theCase.expects(to)) return;
    const { shape, data } = theCase.array(from);
    arrays.set(to, { shape, data: Array.from(data, compute) });
  };
  map('round_in', 'round_out', network.roundSigma);
  if (config.class === 'VPPrecond') {
    map('t', 'sigma_of_t', (t) => vpSigma(config, t));
    map('t', 't_of_sigma', (t) => vpTime(config, vpSigma(config, t)));
  }
  if (config.class === 'iDDPMPrecond') {
    const levels = iddpmLevels(config);
    map('round_in', 'round_index', (sigma) => nearestLevel(levels, sigma));
    arrays.set('u', { shape: [levels.length], data: levels });
  }
  return arrays;
}
