/** The files in a folder and all below it, links followed. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asUserError, errorCode } from '../files/disk.ts';
import { UserError } from '../protocol/errors.ts';

/** Folders of macOS, of network disks (Synology, QNAP), of Windows and of Linux. */
const ofSystems = new Set([
  ...['__MACOSX', '@eaDir', '#recycle', '#snapshot', '@Recycle', '@Recently-Snapshot'],
  ...['$RECYCLE.BIN', 'System Volume Information', 'lost+found'],
]);

/** What systems put beside people's files: names relative to the data set, with forward slashes. */
export function isJunk(name: string): boolean {
  return name.split('/').some((part) => part.startsWith('.') || ofSystems.has(part));
}

/**
 * Names relative to the folder, with forward slashes, in no order.
 * @throws UserError('data') for a link that leads nowhere or back, and for what is neither file nor folder
 */
export async function walkFolder(folder: string): Promise<string[]> {
  const names: string[] = [];
  const walk = async (inside: string, above: readonly string[]): Promise<void> => {
    const here = join(folder, inside);
    const real = await realpath(here);
    if (above.includes(real)) throw refused(here, 'is a link that leads back to a folder it lies in');
    const entries = await readdir(here, { withFileTypes: true });
    for (const entry of entries) {
      const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (isJunk(name)) continue;
      const kind = entry.isSymbolicLink() ? await leadsTo(join(folder, name)) : entry;
      if (kind.isDirectory()) await walk(name, [...above, real]);
      else if (kind.isFile()) names.push(name);
      else throw refused(join(folder, name), 'is neither a file nor a folder');
    }
  };
  await walk('', []);
  return names;
}

async function leadsTo(link: string) {
  return stat(link).catch((cause: unknown) => {
    if (errorCode(cause) !== 'ENOENT') throw asUserError(cause, 'read', link);
    throw refused(link, 'is a link that leads nowhere', cause);
  });
}

function refused(path: string, what: string, cause?: unknown): UserError {
  return new UserError('data', `${path} ${what}`, 'Correct it, or take it out of the data set.', { cause });
}
