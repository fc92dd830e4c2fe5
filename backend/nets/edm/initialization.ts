/** How EDM's layers start when trained from scratch: four classic schemes by fan, times a gain of the layer's own. */
import type { Init } from '../../graph/parameters.ts';

export type InitMode = 'xavier_uniform' | 'xavier_normal' | 'kaiming_uniform' | 'kaiming_normal';

export interface LayerInit {
  readonly mode: InitMode;
  /** Multiplies the scheme's weights; 0 starts them at zero. */
  readonly weight: number;
  /** Multiplies the scheme's biases, which use the fans of the weight; 0 starts them at zero. */
  readonly bias: number;
}

export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

const zeros: Init = { kind: 'zeros' };

/** Glorot and Bengio 2010 and He et al. 2015 (with gain 1), times `gain`. */
function scheme(mode: InitMode, { fanIn, fanOut }: Fans, gain: number): Init {
  if (gain === 0) return zeros;
  switch (mode) {
    case 'xavier_uniform':
      return { kind: 'uniform', bound: gain * Math.sqrt(6 / (fanIn + fanOut)) };
    case 'xavier_normal':
      return { kind: 'normal', std: gain * Math.sqrt(2 / (fanIn + fanOut)) };
    case 'kaiming_uniform':
      return { kind: 'uniform', bound: gain * Math.sqrt(3 / fanIn) };
    case 'kaiming_normal':
      return { kind: 'normal', std: gain * Math.sqrt(1 / fanIn) };
  }
}

export const initialWeight = (init: LayerInit, fans: Fans) => scheme(init.mode, fans, init.weight);
export const initialBias = (init: LayerInit, fans: Fans) => scheme(init.mode, fans, init.bias);
