/**
 * The quick way to read what most of an event file is: events of nothing but numbers under the same few tags, in the same order. What
 * has anything else in it is left to decodeEvent, which reads all of it, and says what is wrong with it.
 */
import type { RunEvent, SummaryValue } from './proto.ts';

interface KnownTag {
  readonly bytes: Uint8Array;
  readonly tag: string;
}

/** Keys of fields: number << 3 | wire type. */
const eventTime = (1 << 3) | 1;
const eventStep = 2 << 3;
const eventSummary = (5 << 3) | 2;
const summaryValue = (1 << 3) | 2;
const valueTag = (1 << 3) | 2;
const valueNumber = (2 << 3) | 5;

const none = -1;

export class ScalarEvents {
  /** By their place among an event's values. */
  readonly #tags: KnownTag[] = [];
  #bytes: Uint8Array = new Uint8Array();
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** @returns undefined for an event that has more in it than numbers, or is damaged */
  decode(payload: Uint8Array): RunEvent | undefined {
    this.#bytes = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#at = 0;
    const values: SummaryValue[] = [];
    let [wallTime, step] = [0, 0];
    const end = payload.length;
    while (this.#at < end) {
      const key = this.#varint(end);
      if (key === eventTime) {
        if (this.#at + 8 > end) return undefined;
        wallTime = this.#view.getFloat64(this.#at, true);
        this.#at += 8;
      } else if (key === eventStep) {
        step = this.#varint(end);
        if (step === none) return undefined;
      } else if (key === eventSummary) {
        if (!this.#summary(end, values)) return undefined;
      } else return undefined;
    }
    return { wallTime, step, fileVersion: '', restart: false, values };
  }

  #summary(end: number, values: SummaryValue[]): boolean {
    const last = this.#end(end);
    while (this.#at < last) {
      if (this.#varint(last) !== summaryValue) return false;
      if (!this.#value(last, values)) return false;
    }
    return last !== none;
  }

  /** A tag and then a number, and nothing besides. */
  #value(end: number, values: SummaryValue[]): boolean {
    const last = this.#end(end);
    if (this.#varint(last) !== valueTag) return false;
    const tagEnd = this.#end(last);
    if (tagEnd === none) return false;
    const tag = this.#tag(tagEnd, values.length);
    this.#at = tagEnd;
    if (tag === undefined || this.#varint(last) !== valueNumber || this.#at + 4 !== last) return false;
    values.push({ kind: 'scalar', tag, value: this.#view.getFloat32(this.#at, true) });
    this.#at = last;
    return true;
  }

  /** Most often the one that was at this place before. */
  #tag(end: number, place: number): string | undefined {
    const known = this.#tags[place];
    const length = end - this.#at;
    if (known && known.bytes.length === length) {
      let i = 0;
      while (i < length && known.bytes[i] === this.#bytes[this.#at + i]) i++;
      if (i === length) return known.tag;
    }
    const bytes = this.#bytes.slice(this.#at, end);
    if (bytes.some((byte) => byte > 0x7f)) return undefined;
    const tag = String.fromCharCode(...bytes);
    this.#tags[place] = { bytes, tag };
    return tag;
  }

  /** Where the next so-many bytes end. */
  #end(limit: number): number {
    const length = this.#varint(limit);
    return length === none || this.#at + length > limit ? none : this.#at + length;
  }

  /** Up to 2^49; `none` for more, and at an end. */
  #varint(limit: number): number {
    let [value, factor] = [0, 1];
    for (let i = 0; i < 7; i++) {
      if (this.#at >= limit) return none;
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    return none;
  }
}
