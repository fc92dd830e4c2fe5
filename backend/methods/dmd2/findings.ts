/** What is wrong with what a config of this method names: DMD's findings, and steps or real images that do not go with the teacher. */
import { edmModel } from '../../models/edm-model.ts';
import { latentModel } from '../../models/latent-model.ts';
import type { loadTeacher } from '../../models/teacher.ts';
import { isTextTeacher, openTextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { type Finding, guarded } from '../common/finding.ts';
import { imageEncoder } from '../common/latent-teacher.ts';
import { laterSteps } from '../common/later-steps.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { openRealImages } from '../common/real-images.ts';
import type { DistillTeacher } from '../common/teacher.ts';
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

/** What a teacher is, without hashing its files. */
async function described(
  config: DistillConfig,
  openEdm: typeof loadTeacher,
): Promise<Pick<DistillTeacher, 'model' | 'student' | 'encoder' | 'plane'>> {
  if (config.mixture) return openTeacher(config);
  if (isTextTeacher(config.teacher)) {
    const teacher = openTextTeacher(config);
    return { model: latentModel(teacher.network, teacher), encoder: imageEncoder(teacher) };
  }
  const { network } = await openEdm(config.teacher, { network: config.network });
  return { model: edmModel(network, { sigmas: [], generatorSigma: config.generator.sigma, sigmaData: 0.5 }) };
}
