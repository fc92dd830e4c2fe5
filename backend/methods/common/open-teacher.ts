/** Opens the teacher that a config names, of whatever family. */
import type { InputWork } from '../../models/input-file.ts';
import { isTextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { openEdmTeacher } from './edm-teacher.ts';
import { initialKey, openInitial } from './initial.ts';
import { openLatentTeacher } from './latent-teacher.ts';
import { openMixtureTeacher } from './mixture-teacher.ts';
import type { DistillTeacher } from './teacher.ts';

/** Loads and checks everything the config names of it. Throws UserError; nothing is written. */
export async function openTeacher(config: DistillConfig, work: InputWork = {}): Promise<DistillTeacher> {
  const teacher = await openFamily(config, work);
  const initial = await openInitial(config, teacher, work);
  return initial ? { ...teacher, initial, inputs: { ...teacher.inputs, [initialKey]: initial.input } } : teacher;
}

function openFamily(config: DistillConfig, work: InputWork): Promise<DistillTeacher> {
  if (config.mixture) return openMixtureTeacher(config, config.mixture);
  return isTextTeacher(config.teacher) ? openLatentTeacher(config, work) : openEdmTeacher(config);
}
