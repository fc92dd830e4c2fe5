/** Distribution Matching Distillation (Yin et al., arXiv 2311.18828): one folder with all that makes it this method. */
import { writeSavedStudent } from '../common/saved-student.ts';
import type { Method } from '../method.ts';
import { dmdSection } from './config.ts';
import { dmdDryRun } from './dry-run.ts';
import { dmdFindings } from './findings.ts';
import { openSubject } from './inspect/open.ts';
import { dmdListing } from './listing.ts';
import { planDmd } from './session.ts';

export const dmd: Method = {
  name: 'dmd',
  section: dmdSection,
  plan: planDmd,
  findings: dmdFindings,
  dryRun: dmdDryRun,
  inspection: openSubject,
  writeSaved: writeSavedStudent,
  listing: dmdListing,
};
