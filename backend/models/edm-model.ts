/** EDM's networks (Karras et al., arXiv 2206.00364) as diffusion models: alpha = 1, classes, predictions of the image itself. */
import { add, div, square } from '../graph/ops/index.ts';
import type { Denoiser } from './denoiser.ts';
import type { DiffusionModel, NoiseLevels } from './diffusion-model.ts';

export interface EdmOptions {
  /** Noise levels that training draws from by index, ascending (EDM: 1000 Karras levels, 0.002..80, rho 7). */
  readonly sigmas: ArrayLike<number>;
  /** Noise level at which the generator is called: G(z) = D(sigma z; sigma). 80 for EDM. */
  readonly generatorSigma: number;
  readonly sigmaData: number;
}

export function edmModel(network: Denoiser, { sigmas, generatorSigma: sigma, sigmaData }: EdmOptions): DiffusionModel {
  const { labelDim } = network;
  return {
    layout: network.layout,
    shape: network.imageShape,
    conditions: labelDim > 0 ? { labels: [labelDim] } : {},
    prediction: 'sample',
    levels: karrasLevels(sigmas),
    calledAt: { scale: sigma, t: sigma, alpha: 1, sigma },
    predict: (source, xt, t, { labels }) => network.denoise(source, xt, t, labels ?? null),
    ...(network.bottleneck
      ? { features: (source, xt, t, { labels }) => network.bottleneck!(source, xt, t, labels ?? null) }
      : {}),
    // The authors' weight of the fake score's loss, 1/sigma^2 + 1/sigma_data^2.
    lossWeight: (level) => add(div(1, square(level)), 1 / sigmaData ** 2),
  };
}

function karrasLevels(sigmas: ArrayLike<number>): NoiseLevels {
  return {
    count: sigmas.length,
    numbers: { sigma: (index) => sigmas[index]! },
    roles: { t: 'sigma', alpha: null, sigma: 'sigma' },
  };
}
