/** A teacher as a config names it, for a look at the config alone. */
import { sigmaDataOf } from '../../models/consistency.ts';
import { edmModel } from '../../models/edm-model.ts';
import { latentModel } from '../../models/latent-model.ts';
import type { loadTeacher } from '../../models/teacher.ts';
import { isTextTeacher, openTextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { imageEncoder } from './latent-teacher.ts';
import { openTeacher } from './open-teacher.ts';
import type { DistillTeacher } from './teacher.ts';

export type DescribedTeacher = Pick<DistillTeacher, 'path' | 'model' | 'student' | 'sigmaData' | 'encoder' | 'plane'>;

/** What a teacher is, without hashing its files. @param openEdm opens a teacher of images */
export async function described(config: DistillConfig, openEdm: typeof loadTeacher): Promise<DescribedTeacher> {
  if (config.mixture) return openTeacher(config);
  if (isTextTeacher(config.teacher)) {
    const teacher = openTextTeacher(config);
    return { path: config.teacher, model: latentModel(teacher.network, teacher), encoder: imageEncoder(teacher) };
  }
  const { network, path } = await openEdm(config.teacher, { network: config.network });
  const sigmaData = sigmaDataOf(network);
  return {
    path,
    sigmaData,
    model: edmModel(network, { sigmas: [], generatorSigma: config.generator.sigma, sigmaData }),
  };
}
