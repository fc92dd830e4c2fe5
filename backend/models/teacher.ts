/** The teacher that a distillation starts from. `builtin:scenes` names the built-in pair, whose teacher is meant here. */
import { type Model, openModel } from './model-file.ts';

export type Teacher = Model;

/**
 * @param network of a bare state dict, which does not say it itself
 * @throws UserError('weights') that names the file and, where it is one, the tensor
 */
export function loadTeacher(name: string, network?: object): Promise<Teacher> {
  return openModel(name === 'builtin:scenes' ? 'builtin:scenes/teacher' : name, { network });
}
