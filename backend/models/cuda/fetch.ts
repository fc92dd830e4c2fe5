/**
 * Brings CUDA's libraries into the user's cache: each wheel is fetched, or found in a folder, checked by its hash, unpacked and let go
 * of. What was broken off goes on where it was.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fetchCommand, fetchedRoot, libraryFolder, missingOf } from '../../engine/onnxruntime/cuda/folder.ts';
import { cudaWheels, type Wheel } from '../../engine/onnxruntime/cuda/wheels.ts';
import { asUserError } from '../../files/disk.ts';
import { removeLeftovers } from '../../files/folders.ts';
import { openRegular } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { stopped } from '../hub/client.ts';
import { bytesHere, downloadBlob } from '../hub/download-blob.ts';
import { type IndexOptions, openIndex } from './package-index.ts';

export interface CudaRequest {
  /** A folder of wheels that were downloaded elsewhere: nothing is asked of the network. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told bytes done and in all, of the wheels that were not there, and what is under way. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  readonly root?: string;
  readonly wheels?: readonly Wheel[];
  readonly index?: Omit<IndexOptions, 'offlineHint' | 'signal'>;
}

/** The wheels that are not there whole, and how much of each an earlier download left. */
export function wantedWheels({ root = fetchedRoot(), wheels = cudaWheels }: CudaRequest = {}) {
  return wheels
    .filter((wheel) => missingOf(root, wheel) !== '')
    .map((wheel) => ({ wheel, here: bytesHere(archivePath(root, wheel), wheel.bytes) }));
}

/**
 * @returns the folder of the libraries
 * @throws UserError: 'device' for a system that has none, 'io' for index and disk, 'data' for what is not what its hash says, 'cancelled'
 */
export async function fetchCuda(request: CudaRequest = {}): Promise<string> {
  const { from, signal, onProgress, root = fetchedRoot(), wheels = cudaWheels } = request;
  refuseOtherSystems();
  const wanted = wantedWheels(request).map(({ wheel }) => wheel);
  const found = from === undefined ? null : wanted.map((wheel) => wheelIn(from, wheel, wanted));
  const index = openIndexLater({ ...request.index, signal, offlineHint: offlineHint(wheels) });
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const [i, wheel] of wanted.entries()) {
    const told = (what: string) => (bytes: number) => onProgress?.(before + bytes, total, `${what} ${wheel.name}`);
    const archive = found?.[i] ?? archivePath(root, wheel);
    if (found) await checkHash(archive, wheel, told('checking'), signal);
    else {
      const { version: commit, file, bytes: size, sha256: hash } = wheel;
      await downloadBlob({
        ...{
          client: { open: (_name, _version, _file, start) => index().open(wheel, start) },
          repository: wheel.name,
          commit,
        },
        ...{ file: { path: file, size, hash, kind: 'sha256' }, blob: archive, onBytes: told('fetching'), signal },
      });
    }
    told('unpacking')(wheel.bytes);
    const { unpackWheel } = await import('./unpack.ts');
    await unpackWheel(root, wheel, archive, signal);
    if (!found) await rm(archive, { force: true });
    before += wheel.bytes;
  }
  removeLeftovers(libraryFolder(root));
  return libraryFolder(root);
}

/** Settings that are no address are nobody's trouble who fetches from a folder. */
function openIndexLater(options: IndexOptions) {
  let index: ReturnType<typeof openIndex> | undefined;
  return () => (index ??= openIndex(options));
}

/** While it is fetched it has a longer name: see `downloadBlob`. */
const archivePath = (root: string, { file }: Wheel): string => path.join(root, 'wheels', file);

function refuseOtherSystems(): void {
  if (process.platform === 'linux' && process.arch === 'x64') return;
  const message = `CUDA's libraries are fetched for Linux x64 only, not for ${process.platform} ${process.arch}`;
  throw new UserError('device', message, 'dmd devices lists what works here.');
}

function wheelIn(folder: string, wheel: Wheel, wanted: readonly Wheel[]): string {
  const file = path.join(folder, wheel.file);
  const missing = wanted.filter((each) => !existsSync(path.join(folder, each.file)));
  if (missing.length > 0) {
    const message = `${folder} lacks ${missing.map(({ file: name }) => name).join(', ')}`;
    throw new UserError('io', message, `Where there is a network: ${pipCommand(missing)}`);
  }
  const { size } = statSync(file);
  if (size === wheel.bytes) return file;
  const message = `${file} has ${size} bytes, not ${wheel.bytes}`;
  throw new UserError(
    'data',
    message,
    'It was not downloaded whole, or is another one of that name: download it again.',
  );
}

async function checkHash(file: string, { sha256 }: Wheel, onBytes: (bytes: number) => void, signal?: AbortSignal) {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of (await openRegular(file)).createReadStream()) {
      if (signal?.aborted) throw stopped();
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
      onBytes(bytes);
    }
  } catch (error) {
    throw asUserError(error, 'read', file);
  }
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw new UserError('data', `${file} is damaged: its hash is ${found}, not ${sha256}`, 'Download it again.');
}

const offlineHint = (wheels: readonly Wheel[]): string =>
  `What was loaded is kept: connect and run the same command again. Without a network here, run this where there is one, bring the folder, and say ${fetchCommand} --from cuda-wheels: ${pipCommand(wheels)}`;

/** What brings the same files into a folder. */
function pipCommand(wheels: readonly Wheel[]): string {
  const platforms = ['manylinux_2_28', 'manylinux_2_27', 'manylinux2014', 'manylinux2010'];
  const tags = platforms.map((platform) => `--platform ${platform}_x86_64`).join(' ');
  const names = wheels.map(({ name, version }) => `${name}==${version}`).join(' ');
  return `pip download --no-deps --only-binary=:all: --python-version 3.12 ${tags} -d cuda-wheels ${names}`;
}
