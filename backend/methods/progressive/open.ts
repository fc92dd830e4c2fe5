/** What a config of progressive distillation names, opened and held against one another. */
import type { InputWork } from '../../models/input-file.ts';
import { isTextTeacher } from '../../models/text/text-teacher.ts';
import { UserError } from '../../protocol/errors.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { openRealImages } from '../common/real-images.ts';
import { asDmd, type ProgressiveConfig } from './as-dmd.ts';

/** Throws UserError('config') for a text-to-image teacher. */
export function requireEdm({ teacher, mixture }: ProgressiveConfig): void {
  if (mixture || !isTextTeacher(teacher)) return;
  const message = `teacher: ${teacher} is a text-to-image model, and progressive distillation takes EDM's kind of networks alone`;
  throw new UserError('config', message, 'Choose the method dmd, dmd2 or diff-instruct for it.');
}

/** Teacher and real images. Throws UserError that names the key; nothing is written. */
export async function openAll(config: ProgressiveConfig, work: InputWork = {}) {
  requireEdm(config);
  const teacher = await openTeacher(asDmd(config), work);
  return { teacher, real: await openRealImages(config, teacher) };
}
