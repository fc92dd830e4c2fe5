/** What is wrong with what a config of this method names: DMD's findings, and steps or real images that do not go with the teacher. */
import type { loadTeacher } from '../../models/teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { described } from '../common/described.ts';
import { type Finding, guarded } from '../common/finding.ts';
import { laterSteps } from '../common/later-steps.ts';
import { openRealImages } from '../common/real-images.ts';
import { dmdFindings } from '../dmd/findings.ts';
import { asDmd, dmd2Config } from './as-dmd.ts';
import { needsReal, orElse } from './shape.ts';

/** @param openEdm opens a teacher of images */
export async function dmd2Findings(given: DistillConfig, openEdm: typeof loadTeacher): Promise<Finding[]> {
  const config = dmd2Config(given);
  const own = asDmd(config);
  const found = await dmdFindings(own, openEdm);
  if (found.some(({ severity }) => severity === 'error')) return found;
  const keyOf = (message: string) => /^([a-z][\w.]*):/.exec(message)?.[1] ?? 'data.source';
  await guarded(found, keyOf, async () => {
    const teacher = await described(own, openEdm);
    laterSteps(config.steps.at, teacher.student ?? teacher.model);
    if (needsReal(config)) await (await openRealImages(config, teacher, orElse)).close();
  });
  return found;
}
