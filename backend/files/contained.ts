/**
 * Paths that stay where they belong. A folder may come from anybody: a symbolic link in it must not make this program show,
 * change or delete other files of the user's, and a name must not climb out of the folder.
 */
import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../protocol/errors.ts';
import { errorCode, onDisk } from './disk.ts';
import { makeFolder } from './folders.ts';
import { type FileKind, readText } from './regular.ts';

/**
 * The real path of something in a folder, links followed; use that one.
 * @param name relative, e.g. `samples/step-00000010.png`
 * @throws UserError('io') when it does not exist, or lies outside of the folder, whatever the detour
 */
export function contained(folder: string, name: string): string {
  const file = path.join(folder, name);
  if (
    name === '' ||
    name.includes('\0') ||
    path.isAbsolute(name) ||
    !isInside(path.resolve(folder), path.resolve(file))
  ) {
    throw leadsOut(JSON.stringify(name), folder);
  }
  const real = onDisk('read', file, () => fs.realpathSync(file));
  if (!isInside(fs.realpathSync(folder), real)) throw leadsOut(file, folder);
  return real;
}

/** As `contained`, but undefined for what does not exist. */
export function containedIfThere(folder: string, name: string): string | undefined {
  try {
    return contained(folder, name);
  } catch (error) {
    if (error instanceof UserError && errorCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a folder in one that is there. @throws UserError('io') where it is a link that leads out of it */
export function makeFolderIn(folder: string, name: string): void {
  containedIfThere(folder, name);
  makeFolder(path.join(folder, name));
}

/** What a file in a folder says, UTF-8. @throws UserError: as `contained`, and as `readText` */
export function readOwnText(folder: string, name: string, kind: FileKind): string {
  const file = contained(folder, name);
  return onDisk('read', file, () => readText(file, kind));
}

/** Whether `file` lies below `folder`; both absolute. */
export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

function leadsOut(what: string, folder: string): UserError {
  const hint = 'Only what lies in the folder itself is used: put it there in place of the link, if you trust it.';
  return new UserError('io', `${what} leads out of ${folder}`, hint);
}
