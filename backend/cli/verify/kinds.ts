/** The kinds of cases this version can check. */
import { frechet } from './frechet.ts';
import type { Kind } from './kind.ts';
import { networkForward } from './network-forward.ts';
import { sampler } from './sampler.ts';

export const kinds: Readonly<Record<string, Kind>> = {
  'edm-precond-forward': networkForward,
  'precond-forward': networkForward,
  'edm-sampler': sampler,
  'frechet-distance': frechet,
};
