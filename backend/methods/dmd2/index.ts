/** DMD2 (Yin et al., arXiv 2405.14867): one folder with all that makes it this method, on DMD's scores, probe and inspector. */
import { laterSteps } from '../common/later-steps.ts';
import { writeSavedStudent } from '../common/saved-student.ts';
import type { DistillTeacher } from '../common/teacher.ts';
import { openSubject } from '../dmd/inspect/open.ts';
import type { Method } from '../method.ts';
import { asDmd, dmd2Config } from './as-dmd.ts';
import { dmd2Section } from './config.ts';
import { dmd2DryRun } from './dry-run.ts';
import { dmd2Findings } from './findings.ts';
import { dmd2Listing } from './listing.ts';
import { planDmd2 } from './session.ts';
import { fewStepShape } from './shape.ts';

export const dmd2: Method = {
  name: 'dmd2',
  section: dmd2Section,
  plan: planDmd2,
  findings: dmd2Findings,
  dryRun: dmd2DryRun,
  inspection(given, engine, work) {
    const config = dmd2Config(given);
    return openSubject(asDmd(config), engine, work, (shape) => fewStepShape(config, shape));
  },
  writeSaved(given, state, to) {
    const config = dmd2Config(given);
    const called = (teacher: DistillTeacher) => ({
      again: laterSteps(config.steps.at, teacher.student ?? teacher.model).map(({ t }) => t),
      boundary: null,
    });
    return writeSavedStudent(asDmd(config), state, to, called);
  },
  listing: dmd2Listing,
};
