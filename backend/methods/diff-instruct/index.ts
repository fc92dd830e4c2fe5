/** Diff-Instruct (Luo et al., arXiv 2305.18455): DMD's machinery without regression, with its own weight and its own noise levels. */
import { writeSavedStudent } from '../common/saved-student.ts';
import { dmdDryRun } from '../dmd/dry-run.ts';
import { dmdFindings } from '../dmd/findings.ts';
import { openSubject } from '../dmd/inspect/open.ts';
import { dmdListing } from '../dmd/listing.ts';
import { planDmd } from '../dmd/session.ts';
import type { Method } from '../method.ts';
import { asDmd, diffInstructConfig } from './as-dmd.ts';
import { diffInstructSection } from './config.ts';
import { diffInstructDraws } from './draws.ts';

export const diffInstruct: Method = {
  name: 'diff-instruct',
  section: diffInstructSection,
  plan(given, work) {
    const config = diffInstructConfig(given);
    return planDmd(asDmd(given), work, (model, conditions) => diffInstructDraws(config, model, conditions));
  },
  findings: (given, openTeacher) => dmdFindings(asDmd(given), openTeacher),
  dryRun: (engine, given, limits) => dmdDryRun(engine, asDmd(given), limits),
  inspection: (given, engine, work) => openSubject(asDmd(given), engine, work),
  writeSaved: (given, state, to) => writeSavedStudent(asDmd(given), state, to),
  listing(given) {
    const { time, logMean, logStd } = diffInstructConfig(given).matching;
    return dmdListing(asDmd(given), time === 'uniform' ? '' : `, ln(sigma/alpha) ~ N(${logMean}, ${logStd}^2)`);
  },
};
