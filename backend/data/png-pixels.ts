/**
 * What decides the pixels of a PNG, taken out of it and inflated: never to more bytes than its size asks for. The decoder inflates
 * whatever is in a file, profiles and texts among it, and a megabyte inflates to a gigabyte.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import CRC32 from 'crc-32';

/** The signature and the IHDR chunk: other chunks may start here. */
export const headerBytes = 33;
const signatureBytes = 8;
/** Bytes of a chunk besides its content: length and name before it, a checksum after it. */
const [headOfChunk, overhead] = [8, 12];
/** Some programs write a little more than the pixels; it is not looked at. */
const slack = 1 << 16;

/** Columns and rows that Adam7's passes take of eight by eight pixels: offset and step of each. */
const passes = [
  [0, 8, 0, 8],
  [4, 8, 0, 8],
  [0, 4, 4, 8],
  [2, 4, 0, 4],
  [0, 2, 2, 4],
  [1, 2, 0, 2],
  [0, 1, 1, 2],
] as const;

/**
 * The same picture without anything that is not needed to decode it, its pixels stored rather than compressed. Checksums are
 * verified here, those of the result are not right.
 * @param bitsPerPixel channels x depth
 * @param kept chunks that are needed besides the pixels
 * @throws Error for damage, and for pixels that are more or fewer than its size asks for
 */
export function pixelsOnly(png: Uint8Array, bitsPerPixel: number, kept: readonly string[] = ['PLTE']): Uint8Array {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const [width, height, isInterlaced] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[28] !== 0];
  const chunks = [...readChunks(bytes)];
  const others = chunks.filter(({ name }) => kept.includes(name));
  const packed = Buffer.concat(chunks.flatMap(({ name, content }) => (name === 'IDAT' ? [content] : [])));
  const wanted = isInterlaced ? interlacedBytes(width, height, bitsPerPixel) : plainBytes(width, height, bitsPerPixel);
  const pixels = inflated(packed, wanted);
  return Buffer.concat([
    bytes.subarray(0, headerBytes),
    ...others.flatMap(({ name, content }) => chunk(name, content)),
    ...chunk('IDAT', deflateSync(pixels, { level: 0 })),
    ...chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * What is see-through in a picture without an alpha channel: an opacity for each colour of a palette, else one colour in two bytes a
 * channel; null where nothing is. Of a file that `pixelsOnly` has read.
 */
export function transparencyOf(png: Uint8Array): Uint8Array | null {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  for (let at = headerBytes; at + overhead <= bytes.length; at += bytes.readUInt32BE(at) + overhead) {
    const name = bytes.toString('latin1', at + 4, at + headOfChunk);
    if (name === 'tRNS') return bytes.subarray(at + headOfChunk, at + headOfChunk + bytes.readUInt32BE(at));
    if (name === 'IDAT' || name === 'IEND') break; // it comes before the pixels
  }
  return null;
}

interface Chunk {
  readonly name: string;
  readonly content: Buffer;
}

/** Up to its end chunk. */
function* readChunks(bytes: Buffer): Generator<Chunk> {
  for (let at = signatureBytes; ; ) {
    if (at + overhead > bytes.length) throw new Error(`the file ends at byte ${bytes.length}, without an end chunk`);
    const length = bytes.readUInt32BE(at);
    const name = bytes.toString('latin1', at + 4, at + headOfChunk);
    const end = at + headOfChunk + length;
    if (end + 4 > bytes.length) throw new Error(`the file ends at byte ${bytes.length}, within its chunk ${name}`);
    if (CRC32.buf(bytes.subarray(at + 4, end)) !== bytes.readInt32BE(end)) {
      throw new Error(`it is damaged: the checksum of its chunk ${name} differs`);
    }
    if (name === 'IEND') return;
    if (name === 'IHDR' && at > signatureBytes) throw new Error('it has two headers');
    yield { name, content: bytes.subarray(at + headOfChunk, end) };
    at = end + 4;
  }
}

function inflated(packed: Buffer, wanted: number): Buffer {
  let pixels: Buffer;
  try {
    pixels = inflateSync(packed, { maxOutputLength: wanted + slack });
  } catch (cause) {
    const isTooLong = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
    const why = isTooLong ? `they are more than the ${wanted} bytes that its size asks for` : reason(cause);
    throw new Error(`its pixels cannot be read: ${why}`, { cause });
  }
  if (pixels.length < wanted) throw new Error(`it has ${pixels.length} bytes of pixels, its size asks for ${wanted}`);
  return pixels.subarray(0, wanted);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Every row begins with a byte that says how it is filtered. */
function plainBytes(width: number, height: number, bitsPerPixel: number): number {
  return height * (1 + Math.ceil((width * bitsPerPixel) / 8));
}

function interlacedBytes(width: number, height: number, bitsPerPixel: number): number {
  return passes.reduce((sum, [left, columnStep, top, rowStep]) => {
    const columns = Math.ceil((width - left) / columnStep);
    const rows = Math.ceil((height - top) / rowStep);
    return columns > 0 && rows > 0 ? sum + plainBytes(columns, rows, bitsPerPixel) : sum;
  }, 0);
}

function chunk(name: string, content: Buffer): Buffer[] {
  const head = Buffer.alloc(headOfChunk);
  head.writeUInt32BE(content.length);
  head.write(name, 4, 'latin1');
  return [head, content, Buffer.alloc(4)];
}
