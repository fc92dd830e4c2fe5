/** What `dmd features` is asked for, and what its kinds of work share. */
import type { Engine } from '../../engine/engine.ts';
import type { CommonOptions } from '../output.ts';

export interface FeaturesOptions extends CommonOptions {
  readonly out: string;
  readonly data?: string;
  readonly test?: string;
  readonly name?: string;
  readonly size: number;
  readonly fit: 'pad' | 'resize';
  readonly mirror?: boolean;
  readonly iterations: number;
  readonly batch: number;
  readonly seed: number;
  readonly threads: number;
}

export interface FeaturesWork {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly onStep: (step: number, loss: number) => void;
}

/** Pictures of a test, and of how many the network named the class. */
export interface Tested {
  readonly right: number;
  readonly of: number;
}

export const learningRate = 2e-3;
