/**
 * Entries of zips that anybody may have packed: a megabyte of a zip inflates to a gigabyte, and what is in it is what it says
 * itself. A size that its packed bytes do not justify is refused before anything is inflated.
 */
import CRC32 from 'crc-32';
import type yauzl from 'yauzl';

export interface EntryLimits {
  /** Bytes that an entry may have whatever it was packed into, so that what repeats itself is read. */
  readonly free: number;
  /** Bytes besides for each packed one. Numbers and pictures are hardly packed at all, lists of names to a tenth. */
  readonly perPacked: number;
}

/** @throws Error that says what is wrong, to be put behind the entry's name */
export async function readZipEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, limits: EntryLimits): Promise<Buffer> {
  const { compressedSize, uncompressedSize: size } = entry;
  if (entry.isEncrypted()) throw new Error('is encrypted');
  const most = limits.free + limits.perPacked * compressedSize;
  if (size > most) throw new Error(`claims ${size} bytes of ${compressedSize} packed ones, more than the ${most} read`);
  const bytes = await inflated(zip, entry).catch((cause: unknown) => {
    throw new Error(`cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  if (CRC32.buf(bytes) >>> 0 !== entry.crc32) throw new Error('is damaged: its checksum differs');
  return bytes;
}

/** That they are as many as it claims, the stream itself sees to. */
async function inflated(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece);
  return Buffer.concat(pieces);
}
