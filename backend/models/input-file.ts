/**
 * The files that a run depends on, by what they hold: wherever they lie, a resumed run must find the same.
 *
 * Their keys are those of the config; a file that is found through another's key says so behind it: `teacher (vae)`.
 */
import path from 'node:path';
import { hashOf } from '../data/pair-shard.ts';
import { type Hashing, hashFile, hashFolder } from '../files/content-hash.ts';
import type { RunMessageOf } from '../protocol/run-messages.ts';

export interface InputFile {
  readonly path: string;
  /** Of its content, hex; '' where there is none. */
  readonly sha256: string;
}

export type Inputs = Readonly<Record<string, InputFile>>;

/** For hashing that takes a while. */
export interface InputWork {
  readonly signal?: AbortSignal;
  readonly report?: (message: RunMessageOf<'work'>) => void;
}

/** The config key that an input is found through. */
export function configKeyOf(key: string): string {
  return key.split(' ')[0]!;
}

/** A file of any size. Throws UserError: 'data', 'io', 'cancelled'. */
export async function fileInput(key: string, file: string, work: InputWork = {}): Promise<InputFile> {
  return { path: file, sha256: await hashFile(file, hashingOf(key, work)) };
}

/**
 * Files in a folder, each with its name, or a single file such as a zip.
 * @param names null for a single file
 * @throws UserError: 'data', 'io', 'cancelled'
 */
export async function folderInput(
  key: string,
  folder: string,
  names: readonly string[] | null,
  work: InputWork = {},
): Promise<InputFile> {
  if (names === null) return fileInput(key, folder, work);
  return { path: folder, sha256: await hashFolder(folder, names, hashingOf(key, work)) };
}

/** Small files in a model's folder that say how its weights are used, such as config.json; each an input of its own. */
export async function settingsInputs(key: string, folder: string, names: readonly string[]): Promise<Inputs> {
  const inputs: Record<string, InputFile> = {};
  for (const name of names) {
    const file = path.join(folder, name);
    inputs[`${key} (${name})`] = { path: file, sha256: (await hashOf(file)) ?? '' };
  }
  return inputs;
}

/** What is over in a second is not worth a bar. */
const silentMilliseconds = 1000;
const betweenReports = 200;

function hashingOf(key: string, { signal, report }: InputWork): Hashing {
  const began = performance.now();
  let told: number | undefined;
  const onProgress = (done: number, total: number) => {
    const now = performance.now();
    const due = told === undefined ? now - began > silentMilliseconds : now - told > betweenReports || done === total;
    if (!due) return;
    told = now;
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    report?.({ type: 'work', label: `comparing ${key}`, done: megabytes(done), total: megabytes(total), unit: 'MB' });
  };
  return { signal, onProgress };
}
