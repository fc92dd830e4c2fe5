/** From a config and what DMD's graphs are built of to what DMD2's are. */
import { UserError } from '../../protocol/errors.ts';
import type { DmdShape } from '../dmd/graphs.ts';
import type { Dmd2Config } from './as-dmd.ts';
import type { Dmd2Shape } from './graphs.ts';
import { headOf } from './head.ts';

/** Throws UserError('config') where the network has no features that a discriminator could stand on. */
export function dmd2ShapeOf({ gan, matching }: Dmd2Config, shape: DmdShape): Dmd2Shape {
  const { divergence } = matching;
  if (!gan.enabled) return { ...shape, divergence, gan: null };
  const head = headOf(gan.features === 'teacher' ? shape.teacher : shape.student);
  if (!head) {
    const message = "gan.features: this teacher's network has no features that a discriminator could stand on";
    throw new UserError('config', message, 'Set gan.features to "fake".');
  }
  const { features, trainsTrunk, r1, r1Noise: noise } = gan;
  return { ...shape, divergence, gan: { head, features, trainsTrunk, r1: r1 > 0 ? { gamma: r1, noise } : null } };
}
