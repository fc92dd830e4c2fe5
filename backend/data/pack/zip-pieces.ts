/**
 * A zip as a stream of its bytes, entry by entry: stored as they are and without times, so that the same entries give the same
 * zip. More than 65,535 entries and 4 GB make it a Zip64 (PKWARE's APPNOTE.TXT, 4.3 and 4.5.3), as ImageNet's are.
 */
import CRC32 from 'crc-32';

export interface ZipEntry {
  readonly name: string;
  /** Less than 4 GB. */
  readonly content: Uint8Array;
}

/** Local file, central directory, its end; the two of Zip64. */
const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator: 0x07064b50 };
/** Versions needed: 2.0 for plain ones, 4.5 for Zip64. Names are UTF-8. The first of January 1980. */
const [plainVersion, zip64Version, utf8, firstDay] = [20, 45, 1 << 11, (1 << 5) | 1];
/** A regular file that everybody may read; made on Unix. */
const [madeOnUnix, regularFile] = [3 << 8, 0o100644 * 2 ** 16];
const [most16, most32] = [0xffff, 0xffffffff];

/** Bytes that go to the disk together. */
const together = 2 ** 20;

export async function* zipPieces(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of smallPieces(entries)) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < together) continue;
    yield Buffer.concat(waiting);
    [waiting, bytes] = [[], 0];
  }
  yield Buffer.concat(waiting);
}

async function* smallPieces(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let at = 0;
  for await (const { name, content } of entries) {
    const bytes = Buffer.from(name);
    const facts = factsOf(bytes, content);
    const head = Buffer.concat([uint32(signatures.local), uint16(plainVersion), facts, uint16(0), bytes]);
    directory.push(centralEntry(bytes, facts, at));
    yield head;
    yield content;
    at += head.length + content.length;
  }
  const central = Buffer.concat(directory);
  yield central;
  yield endOf(directory.length, central.length, at);
}

/** What both headers of an entry say, from its flags to the length of its name. */
function factsOf(name: Buffer, content: Uint8Array): Buffer {
  if (content.length >= most32) throw new Error(`an entry of ${content.length} bytes`);
  const stored = 0;
  const size = uint32(content.length);
  const crc = uint32(CRC32.buf(content) >>> 0);
  return Buffer.concat([uint16(utf8, stored, 0, firstDay), crc, size, size, uint16(name.length)]);
}

function centralEntry(name: Buffer, facts: Buffer, at: number): Buffer {
  const isFar = at >= most32;
  const extra = isFar ? Buffer.concat([uint16(1, 8), uint64(at)]) : Buffer.alloc(0);
  const version = isFar ? zip64Version : plainVersion;
  return Buffer.concat([
    ...[uint32(signatures.central), uint16(madeOnUnix | version, version), facts],
    ...[uint16(extra.length, 0, 0, 0), uint32(regularFile), uint32(Math.min(at, most32)), name, extra],
  ]);
}

function endOf(count: number, length: number, at: number): Buffer {
  const needs64 = count >= most16 || at >= most32 || length >= most32;
  const [shownCount, shownLength, shownAt] = [Math.min(count, most16), Math.min(length, most32), Math.min(at, most32)];
  const end = Buffer.concat([
    ...[uint32(signatures.end), uint16(0, 0, shownCount, shownCount)],
    ...[uint32(shownLength), uint32(shownAt), uint16(0)],
  ]);
  if (!needs64) return end;
  const bytesBehindSize = 44;
  const end64 = Buffer.concat([
    ...[uint32(signatures.end64), uint64(bytesBehindSize), uint16(madeOnUnix | zip64Version, zip64Version), uint32(0)],
    ...[uint32(0), uint64(count), uint64(count), uint64(length), uint64(at)],
  ]);
  const locator = Buffer.concat([uint32(signatures.locator), uint32(0), uint64(at + length), uint32(1)]);
  return Buffer.concat([end64, locator, end]);
}

function uint16(...values: number[]): Buffer {
  const out = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => {
    out.writeUInt16LE(value, 2 * i);
  });
  return out;
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function uint64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}
