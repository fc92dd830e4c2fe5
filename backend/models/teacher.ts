/** The teacher that a distillation starts from. `builtin:scenes` names the built-in pair, whose teacher is meant here. */
import type { NetworkOptions } from '../nets/index.ts';
import { type Model, openModel } from './model-file.ts';

export type Teacher = Model;

/** @throws UserError('weights') that names the file and, where it is one, the tensor */
export function loadTeacher(name: string, options?: NetworkOptions): Promise<Teacher> {
  return openModel(name === 'builtin:scenes' ? 'builtin:scenes/teacher' : name, options);
}
