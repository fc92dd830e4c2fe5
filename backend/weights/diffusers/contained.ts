/**
 * Files of a model folder, and only those: a folder may come from anybody, so no name in it and no symbolic link may lead
 * out of it. The one exception is the cache of the Hugging Face hub, whose snapshots are links into the blobs beside them:
 * models--ORG--NAME/snapshots/REVISION/... -> models--ORG--NAME/blobs/HASH.
 */
import fs from 'node:fs';
import path from 'node:path';
import { errorCode, onDisk } from '../../files/disk.ts';
import { UserError } from '../../protocol/errors.ts';

/**
 * The real path of a file or folder in `folder`, links followed; undefined where it does not exist.
 * @param name relative, e.g. `unet/config.json`
 * @throws UserError('weights') when it leads out of the folder, whatever the detour
 */
export function modelFile(folder: string, name: string): string | undefined {
  const file = path.join(folder, name);
  if (name === '' || name.includes('\0') || path.isAbsolute(name) || !isInside(path.resolve(folder), file)) {
    throw outside(JSON.stringify(name), folder);
  }
  const real = realPath(file);
  if (real === undefined) return undefined;
  const root = fs.realpathSync(folder);
  const blobs = hubBlobs(root);
  if (isInside(root, real) || (blobs !== undefined && isInside(blobs, real))) return real;
  throw outside(file, folder);
}

/** The blobs that the files of a hub snapshot may be links to; undefined for other folders. */
function hubBlobs(root: string): string | undefined {
  for (let folder = root; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const snapshots = path.dirname(folder);
    const repository = path.dirname(snapshots);
    if (path.basename(snapshots) === 'snapshots' && path.basename(repository).startsWith('models--')) {
      return path.join(repository, 'blobs');
    }
  }
  return undefined;
}

function realPath(file: string): string | undefined {
  return onDisk('read', file, () => {
    try {
      return fs.realpathSync(file);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  });
}

/** Whether `file` lies below `folder`; both absolute. */
function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, path.resolve(file));
  return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

function outside(what: string, folder: string): UserError {
  const hint =
    'Links are followed only within the folder and in the cache of the Hugging Face hub; copy the files instead.';
  return new UserError('weights', `${what} leads out of the model folder ${folder}`, hint);
}
