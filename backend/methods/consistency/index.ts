/** Consistency distillation (Song et al., arXiv 2303.01469): one folder with all that makes it this method, in DMD's session. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { writeSavedStudent } from '../common/saved-student.ts';
import type { Method } from '../method.ts';
import { consistencySection } from './config.ts';
import { consistencyListing } from './listing.ts';
import { consistencyConfig, consistencyMethod } from './method.ts';
import { consistencyFindings, dryRunConsistency, inspectConsistency, planConsistency } from './run.ts';

const of = (given: DistillConfig) => consistencyMethod(consistencyConfig(given));

export const consistency: Method = {
  name: 'consistency',
  section: consistencySection,
  plan: async (given, work) => planConsistency(of(given), work),
  findings: (given, openEdm) => consistencyFindings(of(given), openEdm),
  dryRun: (engine, given, limits) => dryRunConsistency(engine, of(given), limits),
  inspection: async (given, engine, work) => inspectConsistency('consistency', of(given), engine, work),
  writeSaved(given, state, to) {
    const config = consistencyConfig(given);
    const { levels, steps } = config;
    return writeSavedStudent(consistencyMethod(config).own, state, to, () => ({
      again: steps.at,
      boundary: levels.sigmaMin,
    }));
  },
  listing: consistencyListing,
};
