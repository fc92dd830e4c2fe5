/**
 * A network as the rest of the program sees it: its parameters, and the denoiser D(x; sigma) as a function that builds
 * graph nodes. A network holds no values and no state; parameters come from a `ParameterSource`.
 */
import type { Tensor } from '../graph/graph.ts';
import { add, mul, reshape, sliceAxis } from '../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';
import { type NetworkConfig, parseNetworkConfig } from './config.ts';
import { scoped } from './edm/layers.ts';
import type { Conditions, UNetShape } from './edm/unet.ts';
import { modelOf } from './model.ts';
import { preconditioningOf } from './precond/index.ts';
import type { Coefficients } from './precond/preconditioning.ts';

export interface DenoiseOptions {
  /** [B, augmentDim]; left out, the augmentation has no influence. */
  readonly augmentLabels?: Tensor | null;
  /** Return the raw network output F (with all its channels) instead of D. */
  readonly rawOutput?: boolean;
}

export interface Network {
  readonly config: NetworkConfig;
  /** Parameters with the original's names, shapes and starting values. */
  readonly layout: ParameterLayout;
  /** [C, H, W]. */
  readonly imageShape: readonly [number, number, number];
  /** 0 for an unconditional network. */
  readonly labelDim: number;
  readonly augmentDim: number;
  /** Supported noise levels; 0 and Infinity where the preconditioning sets no bound. */
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** The nearest noise level the network can be conditioned on. */
  roundSigma(sigma: number): number;
  /** c_skip, c_out, c_in and c_noise for sigma [B]. */
  coefficients(sigma: Tensor): Coefficients;
  /** The noise embedding of c_noise [B], before anything the U-Net does with it. */
  noiseEmbedding(source: ParameterSource, noise: Tensor): Tensor;
  /**
   * The denoised image, [B, C, H, W]. x [B, C, H, W], sigma [B] above 0, labels [B, labelDim]. Labels of null mean no
   * class; an unconditional network leaves labels aside.
   */
  denoise(source: ParameterSource, x: Tensor, sigma: Tensor, labels: Tensor | null, options?: DenoiseOptions): Tensor;
  /** The deepest features of F's encoder, [B, features, h, w], of what `denoise` takes. */
  bottleneck(source: ParameterSource, x: Tensor, sigma: Tensor, labels: Tensor | null): Tensor;
}

export interface NetworkOptions {
  /** 'blocks' keeps only what enters each U-Net block and computes the rest again for the gradient. */
  readonly recompute?: 'none' | 'blocks';
  /** Tensors of the file that the configuration is out of: no network of far more is built to see that they do not fit. */
  readonly tensors?: number | undefined;
}

/** The first names of what a file lacks are worth a network that is somewhat larger. */
const tensorsAnyway = 1000;

/**
 * Throws UserError('config') for unknown keys, impossible values and sizes that do not fit each other, UserError('weights') for
 * a network of far more tensors than `tensors`.
 */
export function createNetwork(raw: unknown, { recompute = 'none', tensors }: NetworkOptions = {}): Network {
  const config = parseNetworkConfig(raw);
  const preconditioning = preconditioningOf(config);
  const model = modelOf(config);
  const { img_channels: channels, img_resolution: resolution, label_dim: labelDim } = config;
  const augmentDim = 'augment_dim' in config ? config.augment_dim : 0;
  const shape: UNetShape = {
    resolution,
    outChannels: channels * preconditioning.outputFactor,
    labelDim,
    recompute: recompute === 'blocks',
  };

  const forward = (
    of: UNetShape,
    ...[source, x, sigma, labels, { augmentLabels = null } = {}]: Parameters<Network['denoise']>
  ): { readonly c: Coefficients; readonly raw: Tensor } => {
    const batch = x.shape[0];
    const expect = (what: string, tensor: Tensor | null, wanted: readonly number[]) => {
      if (tensor && tensor.shape.join() !== wanted.join()) {
        throw new Error(`${what} is [${tensor.shape}] where the network wants [${wanted}]`);
      }
    };
    expect('x', x, [batch, channels, resolution, resolution]);
    expect('sigma', sigma, [batch]);
    if (labelDim > 0) expect('labels', labels, [batch, labelDim]);
    expect('augmentLabels', augmentLabels, [batch, augmentDim]);
    const c = preconditioning.coefficients(sigma);
    const conditions: Conditions = { noise: c.noise, labels: labelDim > 0 ? labels : null, augmentLabels };
    return { c, raw: model.forward(scoped(source, 'model'), of, scaled(x, c.in), conditions) };
  };

  const denoise: Network['denoise'] = (source, x, sigma, labels, options = {}) => {
    const { c, raw } = forward(shape, source, x, sigma, labels, options);
    if (options.rawOutput) return raw;
    const image = shape.outChannels === channels ? raw : sliceAxis(raw, 1, 0, channels);
    return add(scaled(x, c.skip), scaled(image, c.out));
  };

  return {
    config,
    layout: layoutOf(denoise, config, augmentDim, tensors),
    imageShape: [channels, resolution, resolution],
    labelDim,
    augmentDim,
    sigmaMin: preconditioning.sigmaMin,
    sigmaMax: preconditioning.sigmaMax,
    roundSigma: preconditioning.roundSigma,
    coefficients: preconditioning.coefficients,
    noiseEmbedding: (source, noise) => model.noiseEmbedding(scoped(source, 'model'), noise),
    denoise,
    bottleneck: (...of) => forward({ ...shape, bottleneck: true }, ...of).raw,
  };
}

/** Builds the network once on a scratch graph to see which parameters it asks for. */
function layoutOf(
  denoise: Network['denoise'],
  config: NetworkConfig,
  augmentDim: number,
  tensors = Number.POSITIVE_INFINITY,
): ParameterLayout {
  const { img_channels: channels, img_resolution: resolution, label_dim: labelDim } = config;
  return collectParameters(
    (source) => {
      const { graph } = source;
      const labels = labelDim > 0 ? graph.input('labels', [1, labelDim]) : null;
      const augmentLabels = augmentDim > 0 ? graph.input('augment labels', [1, augmentDim]) : null;
      const x = graph.input('x', [1, channels, resolution, resolution]);
      denoise(source, x, graph.input('sigma', [1]), labels, { augmentLabels });
    },
    2 * tensors + tensorsAnyway,
  );
}

/** Multiplies every image by its own factor. */
function scaled(image: Tensor, factor: Tensor | number): Tensor {
  if (typeof factor === 'number') return factor === 1 ? image : mul(image, factor);
  return mul(image, reshape(factor, [factor.shape[0], 1, 1, 1]));
}
