/**
 * The one way in which this program opens files to read them. A folder may come from anybody, and a name in it may be a
 * pipe, a socket or a device, which keep a reader waiting for ever, or a sparse file of a thousand gigabytes: files are opened
 * without waiting, must be regular ones, and what is read whole has a largest size for its kind.
 *
 * All of it throws the system's own error where the system refuses (see `onDisk`), and UserError('data') for what is no
 * regular file or larger than its kind may be. Nothing that a file holds is in a message.
 */
import fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../protocol/errors.ts';

/** Bytes that a file of a kind may have at most: well above what anybody has, well below what memory takes. */
const largest = {
  /** run.lock, a hash in a cache, the name of a revision. */
  note: 2 ** 16,
  /** run.json, about.json, package.json: they grow by what happens to a run, a few hundred bytes each. */
  record: 2 ** 24,
  /** A config of ours or of a model. */
  config: 2 ** 22,
  /** Vocabularies, indices of shards: the largest that are in use have 20 MB. */
  vocabulary: 2 ** 26,
  /** What lists the parts of something: a checkpoint's tensors, a set's shards, a state beside tensors. */
  manifest: 2 ** 27,
  /** COCO's training captions are 66 MB. */
  prompts: 2 ** 28,
  /** dataset.json of 1.3 million images has 80 MB. */
  labels: 2 ** 28,
  picture: 2 ** 28,
  /** Pictures of an IDX file, packed or not: those of EMNIST, the most that are known, are 0.6 GB. */
  idx: 2 ** 30,
  /** Tensors that are read whole: fields of one step, reference data. */
  tensors: 2 ** 30,
  /** What a process said. */
  log: 2 ** 26,
} as const;

export type FileKind = keyof typeof largest;

const hint = 'Delete it, or put a file in its place.';

const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

/** Opens a regular file; whoever asks closes it. */
export function openRegularSync(file: string): number {
  refuseOther(file, fs.statSync(file)); // opening a device may already do something
  const handle = fs.openSync(file, flags);
  try {
    refuseOther(file, fs.fstatSync(handle));
    return handle;
  } catch (error) {
    fs.closeSync(handle);
    throw error;
  }
}

/** As `openRegularSync`, beside other work. */
export async function openRegular(file: string): Promise<FileHandle> {
  refuseOther(file, await fs.promises.stat(file));
  const handle = await open(file, flags);
  try {
    refuseOther(file, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A whole file. */
export function readBytes(file: string, kind: FileKind): Buffer<ArrayBuffer> {
  const handle = openRegularSync(file);
  try {
    const into = new Growing(file, kind, fs.fstatSync(handle).size);
    while (into.take(fs.readSync(handle, into.room()))) {}
    return into.bytes();
  } finally {
    fs.closeSync(handle);
  }
}

/** A whole file, UTF-8. */
export function readText(file: string, kind: FileKind): string {
  return readBytes(file, kind).toString('utf8');
}

/** As `readBytes`, beside other work. */
export async function readBytesAside(file: string, kind: FileKind): Promise<Buffer<ArrayBuffer>> {
  const handle = await openRegular(file);
  try {
    const into = new Growing(file, kind, (await handle.stat()).size);
    while (into.take((await handle.read(into.room())).bytesRead)) {}
    return into.bytes();
  } finally {
    await handle.close();
  }
}

/** As `readText`, beside other work. */
export async function readTextAside(file: string, kind: FileKind): Promise<string> {
  return (await readBytesAside(file, kind)).toString('utf8');
}

/** Before a file is opened to be written to in its place: there is none yet, or a regular one that is no link. */
export function refuseLink(file: string): void {
  const status = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!status) return;
  if (status.isSymbolicLink()) throw new UserError('io', `${file} is a link and is not written through`, hint);
  refuseOther(file, status);
}

/** Refuses a file of more bytes than its kind may have, for readers that go piece by piece. */
export function refuseLarger(file: string, kind: FileKind, bytes: number): void {
  if (bytes <= largest[kind]) return;
  const message = `${file} has ${bytes} bytes, and at most ${largest[kind]} are read of such a file`;
  throw new UserError('data', message, 'Check that it is the file you meant; do not trust the folder it came in.');
}

/** Bytes as they come: a file may grow while it is read, and those of /proc have no size. */
class Growing {
  readonly #file: string;
  readonly #kind: FileKind;
  #buffer: Buffer<ArrayBuffer>;
  #length = 0;

  constructor(file: string, kind: FileKind, size: number) {
    refuseLarger(file, kind, size);
    this.#file = file;
    this.#kind = kind;
    // One byte more than there should be, so that the end is seen without growing; of its own, hence aligned.
    this.#buffer = Buffer.allocUnsafeSlow(size > 0 ? size + 1 : 2 ** 12);
  }

  /** Where the next bytes go; never empty. */
  room(): Buffer<ArrayBuffer> {
    if (this.#length === this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2);
      this.#buffer.copy(larger);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#length);
  }

  /** Whether there may be more. */
  take(count: number): boolean {
    this.#length += count;
    refuseLarger(this.#file, this.#kind, this.#length);
    return count > 0;
  }

  bytes(): Buffer<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }
}

function refuseOther(file: string, status: fs.Stats): void {
  if (status.isFile()) return;
  if (status.isDirectory()) throw isFolder(file);
  throw new UserError('data', `${file} is not a regular file but ${nameOf(status)}`, hint);
}

/** As the system puts it when a folder is read. */
function isFolder(file: string): Error {
  const error = new Error(`EISDIR: illegal operation on a directory, read '${file}'`);
  return Object.assign(error, { code: 'EISDIR', syscall: 'read', path: file });
}

function nameOf(status: fs.Stats): string {
  if (status.isFIFO()) return 'a pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}
