/** Progressive distillation (Salimans & Ho, arXiv 2202.00512): one folder with all that makes it this method, in DMD's session. */
import { writeSavedStudent } from '../common/saved-student.ts';
import { callsOfStudent } from '../common/teacher.ts';
import type { Method } from '../method.ts';
import { asDmd, progressiveConfig } from './as-dmd.ts';
import { progressiveSection } from './config.ts';
import { progressiveDryRun } from './dry-run.ts';
import { progressiveFindings } from './findings.ts';
import { progressiveListing } from './listing.ts';
import { planProgressive } from './session.ts';
import { stageAt, stagesOf, studentOf } from './stages.ts';

export const progressive: Method = {
  name: 'progressive',
  section: progressiveSection,
  plan: planProgressive,
  findings: progressiveFindings,
  dryRun: progressiveDryRun,
  writeSaved(given, state, to) {
    const config = progressiveConfig(given);
    const stage = stageAt(stagesOf(config), state.step);
    return writeSavedStudent(asDmd(config), state, to, ({ model, student = model }) =>
      callsOfStudent(studentOf(student, stage)),
    );
  },
  listing: progressiveListing,
};
