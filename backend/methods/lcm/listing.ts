/** An iteration of latent consistency distillation with a config's values: what a debugger shows as its source. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { consistencyLines } from '../consistency/listing.ts';
import type { ListingLine } from '../method.ts';
import { guidanceOf, lcmConfig } from './method.ts';

export function lcmListing(given: DistillConfig): readonly ListingLine[] {
  const config = lcmConfig(given);
  const { skip, loss, target } = config;
  const [low, high] = guidanceOf(config);
  const scale = low === high ? `${low}` : `w in ${low}..${high}`;
  return consistencyLines({
    ...config,
    drawn: high > 1 && low !== high ? 't, w' : 't',
    step: `DDIM step of mu_real over ${skip} timesteps${high > 1 ? `, guidance ${scale}` : ''}`,
    distance: loss.distance,
    decay: target.decay,
  });
}
