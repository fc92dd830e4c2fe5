/**
 * Frames on the socket between a run and its watchers: four bytes with the length of what follows (little-endian), then
 * a value in the format of node:v8, which carries typed arrays as bytes.
 */
import v8 from 'node:v8';

/** Before each: its length. */
export const headerBytes = 4;
/** No frame is longer: what a run reports is far below. */
export const largestFrame = 256 * 2 ** 20;

/** What came over a socket is not a frame of ours. */
export class FrameError extends Error {}

/** Throws FrameError when the value is too large to send. */
export function encodeFrame(value: unknown, limit = largestFrame): Buffer {
  const serializer = new v8.DefaultSerializer();
  serializer.writeRawBytes(Buffer.alloc(headerBytes)); // the length, known at the end
  serializer.writeHeader();
  serializer.writeValue(value);
  const frame = serializer.releaseBuffer();
  const length = frame.length - headerBytes;
  if (length > limit) throw new FrameError(`a frame of ${length} bytes, more than the ${limit} allowed`);
  frame.writeUInt32LE(length);
  return frame;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #length = 0;

  constructor(limit = largestFrame) {
    this.#limit = limit;
  }

  /** Bytes of the frame whose value `read` gave last. */
  get length(): number {
    return this.#length;
  }

  /** Whether a frame has begun that is not complete. */
  get partial(): boolean {
    return this.#bytes > 0;
  }

  /** The values of the frames that these bytes complete. Throws FrameError: nothing more can be read then. */
  *read(chunk: Buffer): Generator<unknown> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= headerBytes) {
      const length = this.#take(headerBytes, false).readUInt32LE();
      if (length > this.#limit)
        throw new FrameError(`a frame of ${length} bytes, more than the ${this.#limit} allowed`);
      if (this.#bytes < headerBytes + length) return;
      this.#length = length;
      yield decode(this.#take(headerBytes + length, true).subarray(headerBytes));
    }
  }

  /** The first bytes in one piece; a large frame is put together once, when all of it is there. */
  #take(count: number, remove: boolean): Buffer {
    if (this.#chunks[0].length < count) {
      const rest: Buffer[] = [];
      let bytes = 0;
      while (bytes < count) {
        const next = this.#chunks.shift()!;
        rest.push(next);
        bytes += next.length;
      }
      this.#chunks.unshift(Buffer.concat(rest));
    }
    const [first] = this.#chunks;
    if (!remove) return first;
    this.#bytes -= count;
    if (first.length > count) this.#chunks[0] = first.subarray(count);
    else this.#chunks.shift();
    return first.subarray(0, count);
  }
}

function decode(payload: Buffer): unknown {
  try {
    return v8.deserialize(payload);
  } catch (error) {
    throw new FrameError(`a frame that cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
