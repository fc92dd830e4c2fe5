/** What is wrong with what a config of this method names: DMD's findings, and real images that do not go with the teacher. */
import type { loadTeacher } from '../../models/teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { type Finding, guarded } from '../common/finding.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { dmdFindings } from '../dmd/findings.ts';
import { asDmd, dmd2Config } from './as-dmd.ts';
import { laterSteps } from './few-steps.ts';
import { openRealImages } from './real-images.ts';
import { needsReal } from './shape.ts';

/** @param openEdm opens a teacher of images */
export async function dmd2Findings(given: DistillConfig, openEdm: typeof loadTeacher): Promise<Finding[]> {
  const config = dmd2Config(given);
  const own = asDmd(config);
  const found = await dmdFindings(own, openEdm);
  if (found.some(({ severity }) => severity === 'error')) return found;
  const keyOf = (message: string) => /^([a-z][\w.]*):/.exec(message)?.[1] ?? 'data.source';
  await guarded(found, keyOf, async () => {
    const { model, student = model } = await openTeacher(own);
    laterSteps(config.steps.at, student);
    if (needsReal(config)) await (await openRealImages(config, model)).close();
  });
  return found;
}
