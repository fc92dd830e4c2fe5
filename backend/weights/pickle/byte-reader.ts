/** Reads a pickle front to back; every length is checked against what is left before anything is taken. */
import { refuse } from '../refusal.ts';

/** Longer texts occur in no model: the longest are configurations and sources of a few hundred kB. */
const longestText = 2 ** 24;

export class ByteReader {
  position = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  uint8(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  /** A length of eight bytes; one that a number cannot hold is refused, as no file is that long. */
  uint64(): number {
    const value = this.view.getBigUint64(this.advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`it states a length of ${value} bytes`);
    return Number(value);
  }

  /** A float64, big-endian as pickles have it. */
  float64(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  text(length: number): string {
    if (length > longestText) refuse(`its pickle has a text of ${length} bytes`);
    return this.decoder.decode(this.take(length));
  }

  /** Up to the next line feed, which is left out. */
  line(longest: number = longestText): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) refuse('its pickle ends in the middle of a line');
    const length = end - this.position;
    if (length > longest) refuse(`its pickle has a line of ${length} bytes`);
    const text = this.text(length);
    this.position = end + 1;
    return text;
  }

  private advance(length: number): number {
    if (length > this.remaining) {
      refuse(`its pickle ends early: ${length} bytes are wanted at byte ${this.position}, ${this.remaining} are left`);
    }
    const start = this.position;
    this.position += length;
    return start;
  }
}
