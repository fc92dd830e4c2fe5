/** Whether a name is that of a text-to-image model. */
import { isDiffusersFolder } from '../../weights/diffusers/index.ts';
import { cachedSnapshot, isRepositoryName } from '../hub/cache.ts';

/** @param path a folder, or ORGANISATION/NAME of a model that was downloaded */
export function isTextModel(path: string): boolean {
  return isDiffusersFolder(path) || (isRepositoryName(path) && cachedSnapshot(path) !== undefined);
}
