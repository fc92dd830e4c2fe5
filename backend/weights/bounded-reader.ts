/**
 * Reads a zip through yauzl without trusting its offsets: yauzl's own reader passes a damaged 64-bit offset on to the
 * system, whose complaint then ends the process.
 */
import { Readable } from 'node:stream';
import yauzl from 'yauzl';

/** A file read in pieces. */
export interface RangedFile {
  /** In bytes. */
  readonly size: number;
  /** `length` bytes from `position` on; rejects where the file is shorter. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/** Who wants only a file's beginning has read little; the rest comes in large pieces. */
const [firstPiece, largestPiece] = [1 << 14, 1 << 20];

export class BoundedReader extends yauzl.RandomAccessReader {
  private readonly file: RangedFile;

  constructor(file: RangedFile) {
    super();
    this.file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (position + length > this.file.size) {
      setImmediate(callback, new Error(`byte ${position} is past the end`));
      return;
    }
    this.file.read(position, length).then((bytes) => {
      buffer.set(bytes, offset);
      callback(null);
    }, callback);
  }

  /** Bytes start..end of the file, end exclusive. */
  override _readStreamForRange(start: number, end: number): Readable {
    const { file } = this;
    async function* pieces() {
      if (end > file.size) throw new Error(`byte ${end} is past the end`);
      let length = firstPiece;
      for (let at = start; at < end; at += length, length = Math.min(2 * length, largestPiece)) {
        yield await file.read(at, Math.min(length, end - at));
      }
    }
    return Readable.from(pieces());
  }
}
