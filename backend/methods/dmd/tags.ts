/** What the trainer's numbers are recorded as. */
import type { Scalars } from '../../training/iteration.ts';

const tags: Readonly<Record<string, string>> = {
  lossMatching: 'loss/matching',
  lossRegression: 'loss/regression',
  lossFake: 'loss/fake',
  normGenerator: 'norm/generator',
  normFake: 'norm/fake',
  gradientMean: 'gradient/mean',
  residualReal: 'residual/real',
  residualFake: 'residual/fake',
};

/** Numbers that have no tag of their own keep their name. @param more tags of another method */
export const recordedScalars = (scalars: Scalars, more: Readonly<Record<string, string>> = {}): Scalars =>
  Object.fromEntries(Object.entries(scalars).map(([name, value]) => [more[name] ?? tags[name] ?? name, value]));
