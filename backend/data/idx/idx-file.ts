/**
 * IDX files, the format of MNIST and the data sets after it: two zero bytes, a byte that names the type of the numbers (8: one
 * unsigned byte each), a byte with the number of dimensions, the dimensions as big-endian 32-bit numbers, then the numbers.
 * Often packed by gzip.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { asUserError } from '../../files/disk.ts';
import { readBytesAside } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';

export interface IdxFile {
  /** 1 for labels, 3 for pictures in gray: [count, rows, columns]. */
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

const unpack = promisify(gunzip);

const hint = 'Copy the file again from where it comes from; Debian has it in the package dataset-fashion-mnist.';

/** What is unpacked at most: the pictures of EMNIST, the largest of the kind, are 0.6 GB. */
const mostBytes = 2 ** 30;
/** Labels in long stretches of one class pack well; a gigabyte of zeros in a megabyte is nobody's data. */
const freeBytes = 2 ** 24;
const perPacked = 200;

const unsignedByte = 8;

export const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Whether a file that begins so says it is IDX, of any type. */
export const isIdx = (bytes: Uint8Array) =>
  bytes.length >= 4 &&
  bytes[0] === 0 &&
  bytes[1] === 0 &&
  bytes[2]! >= unsignedByte &&
  bytes[2]! <= 14 &&
  bytes[3]! > 0;

/** Reads and checks a whole file. Throws UserError: 'data' for what is no IDX file of bytes, or not whole; 'io'. */
export async function readIdx(file: string): Promise<IdxFile> {
  const packed = await readBytesAside(file, 'idx').catch((cause: unknown) => {
    throw asUserError(cause, 'read', file);
  });
  const fail = (what: string, cause?: unknown) => new UserError('data', `${file}: ${what}`, hint, { cause });
  const all = isGzip(packed) ? await unpacked(packed, fail) : packed;
  if (!isIdx(all)) throw fail('it is not an IDX file, which begins with the bytes 0, 0, 8');
  const [, , type, rank] = all as unknown as [number, number, number, number];
  if (type !== unsignedByte) throw fail(`its numbers are of type ${type}; only 8, unsigned bytes, is read`);
  const head = 4 + 4 * rank;
  if (all.length < head) throw fail(`it ends at byte ${all.length}, within its header of ${head}`);
  const view = new DataView(all.buffer, all.byteOffset, all.length);
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const wanted = dims.reduce((a, b) => a * b, 1);
  const found = all.length - head;
  const shape = dims.join(' x ');
  if (found < wanted) throw fail(`it is cut off: it says ${shape}, ${wanted} bytes, and has ${found} of them`);
  if (found > wanted) throw fail(`it says ${shape}, ${wanted} bytes, and has ${found - wanted} more`);
  return { dims, bytes: all.subarray(head) };
}

async function unpacked(packed: Buffer, fail: (what: string, cause?: unknown) => UserError): Promise<Uint8Array> {
  const maxOutputLength = Math.min(mostBytes, freeBytes + perPacked * packed.length);
  return unpack(packed, { maxOutputLength }).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') throw fail(`it unpacks to more than ${maxOutputLength} bytes`, cause);
    const isCut = code === 'Z_BUF_ERROR';
    throw fail(isCut ? 'it is cut off' : `it cannot be unpacked: ${(cause as Error).message}`, cause);
  });
}
