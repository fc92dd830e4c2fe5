/** EDM's kind of network: a denoiser mu(x_t, sigma) with flat parameters. `nets/` provides it. */
import type { Tensor } from '../graph/graph.ts';
import type { ParameterLayout, ParameterSource } from '../graph/parameters.ts';

export interface Denoiser {
  readonly layout: ParameterLayout;
  /** [C, H, W], or [D] for vectors. */
  readonly imageShape: readonly number[];
  /** Number of classes; 0 for an unconditional network. */
  readonly labelDim: number;
  /**
   * The denoised image. x [B, ...imageShape]; sigma [B]; labels one-hot [B, labelDim], null without classes.
   */
  denoise(source: ParameterSource, x: Tensor, sigma: Tensor, labels: Tensor | null): Tensor;
  /** Features of the same, [B, features, h, w]; left out by what has none. */
  bottleneck?(source: ParameterSource, x: Tensor, sigma: Tensor, labels: Tensor | null): Tensor;
}

/** Declares a label input, or gives null where the network has no classes. */
export function labelInput(graph: Tensor['graph'], name: string, batch: number, network: Denoiser): Tensor | null {
  return network.labelDim > 0 ? graph.input(name, [batch, network.labelDim]) : null;
}
