/**
 * The folder of fetched CUDA libraries and what of it is there. Each wheel that was unpacked whole leaves a note, written last, with
 * its hash and the sizes of its files: what was broken off, cut or of another version is known without loading it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../../files/cache.ts';
import { readText } from '../../../files/regular.ts';
import { cudaWheels, type Wheel } from './wheels.ts';

/** Names a folder with the libraries, to be used instead of what was fetched. */
export const cudaVariable = 'DMD_CUDA';

export const fetchCommand = 'dmd devices --fetch cuda';

/** What a wheel left in the folder. */
export interface UnpackedNote {
  readonly sha256: string;
  /** Bytes by file name. */
  readonly files: Readonly<Record<string, number>>;
}

/** A note of 2^16 bytes at most lists some thousand files: a wheel has twenty. */
export const notePath = (root: string, { name }: Wheel): string => path.join(root, `${name}.json`);
export const libraryFolder = (root: string): string => path.join(root, 'lib');

/** One folder for each version of the runtime. */
export function fetchedRoot(wheels = cudaWheels): string {
  return cacheFolder('cuda', `onnxruntime-${wheels[0]!.version}`);
}

/** Why a wheel is not there whole, in words that follow its name; '' where it is. */
export function missingOf(root: string, wheel: Wheel): string {
  const note = readNote(notePath(root, wheel));
  if (!note) return 'is not there';
  if (note.sha256 !== wheel.sha256) return 'is of another version';
  for (const [name, bytes] of Object.entries(note.files)) {
    const there = fs.statSync(path.join(libraryFolder(root), name), { throwIfNoEntry: false });
    if (!there) return `lacks ${name}`;
    if (there.size !== bytes) return `has a ${name} of ${there.size} bytes, not ${bytes}`;
  }
  return '';
}

/** The folder of the libraries; or why there is none, in a line without a full stop. */
export function findCuda(
  { root = fetchedRoot(), wheels = cudaWheels } = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): { readonly folder: string } | { readonly reason: string } {
  const named = environment[cudaVariable];
  if (named) return { folder: named };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `it runs on Linux x64 only, not on ${process.platform} ${process.arch}` };
  }
  const found = wheels.map((wheel) => ({ wheel, missing: missingOf(root, wheel) }));
  const wanting = found.filter(({ missing }) => missing !== '');
  if (wanting.length === 0) return { folder: libraryFolder(root) };
  if (wanting.length === wheels.length && !fs.existsSync(root)) {
    const megabytes = Math.round(wheels.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6);
    return { reason: `its libraries were not fetched: ${fetchCommand} does (${megabytes} MB)` };
  }
  const [first] = wanting;
  const others = wanting.length > 1 ? `, and ${wanting.length - 1} more like it` : '';
  return {
    reason: `its libraries are not whole: ${first!.wheel.name} ${first!.missing}${others}; ${fetchCommand} goes on`,
  };
}

function readNote(file: string): UnpackedNote | undefined {
  try {
    const note = JSON.parse(readText(file, 'note')) as Partial<UnpackedNote> | null;
    const files = note?.files;
    if (typeof note?.sha256 !== 'string' || typeof files !== 'object' || files === null) return undefined;
    const plain = Object.entries(files).every(
      ([name, bytes]) => path.basename(name) === name && Number.isSafeInteger(bytes),
    );
    return plain ? { sha256: note.sha256, files } : undefined;
  } catch {
    return undefined;
  }
}
