/** From a config and what DMD's graphs are built of to what DMD2's are. */
import { UserError } from '../../protocol/errors.ts';
import { laterSteps } from '../common/later-steps.ts';
import type { DmdShape } from '../dmd/graphs.ts';
import type { Dmd2Config } from './as-dmd.ts';
import type { Dmd2Shape } from './graphs.ts';
import { headOf } from './head.ts';

/** With the generator's further steps, if any. Throws UserError('config') where they do not fit. */
export function fewStepShape<Shape extends DmdShape>({ steps }: Dmd2Config, shape: Shape): Shape {
  if (steps.at.length === 0) return shape;
  return { ...shape, student: { ...shape.student, calledAgain: laterSteps(steps.at, shape.student) } };
}

/** What a person can do without real images. */
export const orElse = ', or set gan.enabled to false';

/** Whether real images are needed. */
export const needsReal = ({ gan, steps }: Dmd2Config) => gan.enabled || (steps.at.length > 0 && steps.from === 'data');

/** Throws UserError('config') where the network has no features that a discriminator could stand on. */
export function dmd2ShapeOf(config: Dmd2Config, begun: DmdShape): Dmd2Shape {
  const { gan, matching } = config;
  const shape = fewStepShape(config, begun);
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
