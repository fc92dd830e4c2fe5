/** Zips as their directory says, or as it does not: sizes that are claimed, entries that lie over one another, bombs that inflate. */
import { deflateRawSync } from 'node:zlib';
import CRC32 from 'crc-32';
import type { Dice } from '../dice.ts';
import { damaged } from './bytes.ts';

export interface ZipPart {
  readonly name: string;
  readonly content: Uint8Array;
  readonly store?: boolean;
}

interface Packed {
  name: string;
  packed: Uint8Array;
  method: number;
  flags: number;
  crc: number;
  size: number;
  packedSize: number;
  attributes: number;
}

export function packZip(parts: readonly ZipPart[], dice?: Dice): Buffer {
  const entries = parts.map(({ name, content, store = false }): Packed => {
    const packed = store ? content : deflateRawSync(content);
    return {
      ...{ name, packed, method: store ? 0 : 8, flags: 0, crc: CRC32.buf(content) >>> 0, size: content.length },
      ...{ packedSize: packed.length, attributes: 0 },
    };
  });
  if (dice) for (let times = 1 + dice.below(3); times > 0 && entries.length > 0; times--) worsen(entries, dice);
  const zip = assemble(entries, dice?.chance(0.05) ? dice.below(65_536) : undefined);
  return dice?.chance(0.3) ? damaged(zip, dice) : zip;
}

function worsen(entries: Packed[], dice: Dice): void {
  const entry = dice.of(entries);
  const kind = dice.below(10);
  if (kind === 0) entry.size = dice.of([0, 1, 1e6, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]);
  else if (kind === 1) entry.packedSize = dice.of([0, 1, 1e6, 2 ** 31, 2 ** 32 - 1]);
  else if (kind === 2) entry.method = dice.of([0, 8, 9, 14, 93, 99]);
  else if (kind === 3) entry.flags ^= 1 << dice.below(16);
  else if (kind === 4) entry.attributes = dice.of([0o120777, 0o010644, 0o040755, 0o100644]) * 2 ** 16;
  else if (kind === 5)
    entry.name = dice.of([
      '../a',
      '/a',
      '',
      'a\\b',
      `${'d/'.repeat(200)}a`,
      '__MACOSX/a',
      '.a',
      '\0',
      'x'.repeat(5000),
    ]);
  else if (kind === 6) entries.push({ ...entry });
  else if (kind === 7) {
    const count = dice.size(dice.chance(0.1) ? 20_000 : 50);
    const copies = Array.from({ length: count }, (_, i) => ({
      ...entry,
      name: `${i}${entry.name.slice(0, 20)}`,
      packed: new Uint8Array(0),
    }));
    entries.push(...(dice.chance(0.5) ? copies : copies.map((copy) => ({ ...copy, packedSize: 0, size: 0, crc: 0 }))));
  } else if (kind === 8) Object.assign(entry, bomb(dice));
  else entry.crc ^= 1 << dice.below(32);
}

/** Zeros, many of them. */
function bomb(dice: Dice): Pick<Packed, 'packed' | 'packedSize' | 'size' | 'crc' | 'method'> {
  const megabytes = dice.of([1, 15, 40, 90, 250, 1400]);
  const packed = zeros(megabytes);
  const size = megabytes * 2 ** 20;
  return {
    packed,
    packedSize: packed.length,
    size: dice.chance(0.8) ? size : 100,
    crc: megabytes > 300 ? 0 : zerosCrc(megabytes),
    method: 8,
  };
}

/** Deflated megabytes of zeros: one block that refers to none before it, over and over, and an empty last one. */
export function zeros(megabytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: 3 }); // Z_FULL_FLUSH
  return Buffer.concat([...Array.from({ length: megabytes }, () => block), Buffer.from([3, 0])]);
}

const crcs = new Map<number, number>();
function zerosCrc(megabytes: number): number {
  const known = crcs.get(megabytes);
  if (known !== undefined) return known;
  const block = Buffer.alloc(2 ** 20);
  let crc = 0;
  for (let i = 0; i < megabytes; i++) crc = CRC32.buf(block, crc);
  crcs.set(megabytes, crc >>> 0);
  return crc >>> 0;
}

function assemble(entries: readonly Packed[], claimedCount?: number): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(entry.flags & 0xffff, 2);
    common.writeUInt16LE(entry.method, 4);
    common.writeUInt32LE(entry.crc >>> 0, 10);
    common.writeUInt32LE(entry.packedSize >>> 0, 14);
    common.writeUInt32LE(entry.size >>> 0, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, entry.packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(entry.attributes >>> 0, 6);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, place, name]));
    parts.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  const count = claimedCount ?? Math.min(entries.length, 0xffff);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(
    directory.reduce((sum, piece) => sum + piece.length, 0),
    12,
  );
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
