/** Libraries and licence texts out of a wheel whose hash was checked: nothing else of it is written, and nothing is run. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { libraryFolder, notePath, type UnpackedNote } from '../../engine/onnxruntime/cuda/folder.ts';
import type { Wheel } from '../../engine/onnxruntime/cuda/wheels.ts';
import { temporaryPath, writeFileAtomic } from '../../files/atomic.ts';
import { asUserError, onDisk } from '../../files/disk.ts';
import { makeFolder } from '../../files/folders.ts';
import { openRegularSync } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { stopped } from '../hub/client.ts';

/** Unpacks a wheel into a root; its note is written last. Throws UserError: 'io', 'data', 'cancelled'. */
export async function unpackWheel(root: string, wheel: Wheel, file: string, signal?: AbortSignal): Promise<void> {
  const folder = libraryFolder(root);
  makeFolder(folder);
  const files: Record<string, number> = {};
  const zip = await yauzl.fromFdPromise(
    onDisk('read', file, () => openRegularSync(file)),
    { autoClose: false },
  );
  try {
    for await (const entry of zip.eachEntry()) {
      if (!wheel.takes.test(entry.fileName)) continue;
      const name = nameOf(wheel, entry.fileName);
      await unpackEntry(zip, entry, path.join(folder, name), signal);
      files[name] = entry.uncompressedSize;
    }
  } finally {
    zip.close();
  }
  if (!Object.keys(files).some((name) => name.includes('.so'))) {
    throw new UserError('data', `${wheel.file} has none of the libraries that are looked for in it`);
  }
  const note: UnpackedNote = { sha256: wheel.sha256, files };
  writeFileAtomic(notePath(root, wheel), `${JSON.stringify(note, null, 2)}\n`);
}

/** Texts of several wheels have one name. */
function nameOf(wheel: Wheel, entry: string): string {
  const name = path.posix.basename(entry);
  return name.includes('.so') ? name : `${wheel.name}-${name}`;
}

async function unpackEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const temporary = temporaryPath(target);
  try {
    const packed = await zip.openReadStreamPromise(entry);
    // That they are as many as the entry claims, the stream itself sees to.
    await pipeline(packed, createWriteStream(temporary, { flags: 'wx', flush: true }), signal ? { signal } : {});
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error instanceof Error && error.name === 'AbortError' ? stopped() : asUserError(error, 'write', target);
  }
}
