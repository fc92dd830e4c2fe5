/** The teacher that a distillation starts from. `builtin:scenes` names the built-in pair, whose teacher is meant here. */
import { type Model, type OpenOptions, openModel } from './model-file.ts';

export type Teacher = Model;

/**
 * @param options with the network of a bare state dict, which does not say it itself
 * @throws UserError('weights') that names the file and, where it is one, the tensor
 */
export function loadTeacher(name: string, options?: OpenOptions): Promise<Teacher> {
  return openModel(name === 'builtin:scenes' ? 'builtin:scenes/teacher' : name, options);
}
