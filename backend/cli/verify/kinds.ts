/** The kinds of cases this version can check. */
import { fidInception } from './fid-inception.ts';
import { frechet } from './frechet.ts';
import { guidance } from './guidance.ts';
import type { Kind } from './kind.ts';
import { lpipsVgg } from './lpips-vgg.ts';
import { networkForward } from './network-forward.ts';
import { pickles } from './pickles.ts';
import { sampler } from './sampler.ts';
import { sdGuidance } from './sd-guidance.ts';
import { trajectory } from './trajectory.ts';

export const kinds: Readonly<Record<string, Kind>> = {
  'edm-precond-forward': networkForward,
  'precond-forward': networkForward,
  'edm-sampler': sampler,
  'dmd2-edm-guidance': guidance,
  'dmd-trajectory': trajectory,
  'sd-guidance-formula': sdGuidance,
  'frechet-distance': frechet,
  'fid-inception-features': fidInception,
  'lpips-vgg': lpipsVgg,
  pickles,
};
