/** Latent consistency distillation (Luo et al., arXiv 2310.04378): consistency distillation of text-to-image teachers, in their latents. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { writeSavedStudent } from '../common/saved-student.ts';
import { consistencyFindings, dryRunConsistency, planConsistency } from '../consistency/run.ts';
import type { Method } from '../method.ts';
import { lcmSection } from './config.ts';
import { lcmListing } from './listing.ts';
import { lcmConfig, lcmMethod } from './method.ts';

const of = (given: DistillConfig) => lcmMethod(lcmConfig(given));

export const lcm: Method = {
  name: 'lcm',
  section: lcmSection,
  plan: async (given, work) => planConsistency(of(given), work),
  findings: (given, openEdm) => consistencyFindings(of(given), openEdm),
  dryRun: (engine, given, limits) => dryRunConsistency(engine, of(given), limits),
  writeSaved: (given, state, to) =>
    writeSavedStudent(of(given).own, state, to, () => ({ again: lcmConfig(given).steps.at, boundary: null })),
  listing: lcmListing,
};
