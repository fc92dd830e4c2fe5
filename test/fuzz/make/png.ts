/** PNGs with right checksums whose chunks say something else than their pixels are. */
import { deflateSync } from 'node:zlib';
import CRC32 from 'crc-32';
import type { Dice } from '../dice.ts';
import { damaged } from './bytes.ts';
import { zeros } from './zip.ts';

export interface PngChunk {
  name: string;
  content: Buffer;
}

export function pngHeader(width: number, height: number, depth = 8, colour = 2, interlace = 0): PngChunk {
  const content = Buffer.alloc(13);
  content.writeUInt32BE(width >>> 0, 0);
  content.writeUInt32BE(height >>> 0, 4);
  content.set([depth, colour, 0, 0, interlace], 8);
  return { name: 'IHDR', content };
}

export function packPng(chunks: readonly PngChunk[]): Buffer {
  const parts = chunks.map(({ name, content }) => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(content.length, 0);
    frame.writeInt32BE(CRC32.buf(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  });
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
}

/** A zlib stream of megabytes of zeros. */
export function zlibZeros(megabytes: number): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt16BE((megabytes * 2 ** 20) % 65521, 0); // Adler-32: the second sum counts the bytes
  sum.writeUInt16BE(1, 2);
  return Buffer.concat([Buffer.from([0x78, 0x9c]), zeros(megabytes), sum]);
}

const texts = ['a red circle', '{"a":1}', '['.repeat(9000), '{"prompt":'.repeat(3000), 'x'.repeat(70_000), '\0', 'é'];
const keywords = ['dmd.settings', 'prompt', 'workflow', 'parameters', 'Software', '__proto__', 'dmd.seed', 'dmd.model'];

/** @param text under keywords of its own, sometimes instead of an evil one */
export function worsePng(dice: Dice, text: Readonly<Record<string, string>> = {}): Buffer {
  const [width, height] = [1 + dice.below(9), 1 + dice.below(9)];
  const [colour, depth] = dice.of([
    [0, 8],
    [2, 8],
    [3, 8],
    [0, 1],
    [3, 2],
    [0, 4],
    [2, 16],
    [6, 8],
    [0, 16],
    [3, 4],
  ] as const);
  const samples = { 0: 1, 2: 3, 3: 1, 6: 4 }[colour];
  const pixels = Buffer.alloc(height * (1 + Math.ceil((width * samples * depth) / 8)));
  for (let i = 0; i < pixels.length; i++) pixels[i] = dice.below(i % 3 === 0 ? 5 : 256);
  const chunks: PngChunk[] = [
    pngHeader(width, height, depth, colour),
    ...(colour === 3 ? [{ name: 'PLTE', content: dice.bytes(3 * (1 + dice.below(255))) }] : []),
    ...Object.entries(text).map(([keyword, value]) => textChunk(keyword, value, dice)),
    { name: 'IDAT', content: deflateSync(pixels) },
    { name: 'IEND', content: Buffer.alloc(0) },
  ];
  for (let times = dice.below(4); times > 0; times--) worsen(chunks, dice);
  const png = packPng(chunks);
  return dice.chance(0.25) ? damaged(png, dice) : png;
}

function worsen(chunks: PngChunk[], dice: Dice): void {
  const sizes = [0, 1, 7, 300, 3000, 4096, 12_000, 65_536, 2 ** 31 - 1, 2 ** 32 - 1];
  const idat = chunks.find(({ name }) => name === 'IDAT');
  const kind = dice.below(9);
  const at = 1 + dice.below(chunks.length);
  if (kind === 0)
    chunks[0] = pngHeader(
      dice.of(sizes),
      dice.of(sizes),
      dice.of([1, 2, 4, 8, 16, 3, 0]),
      dice.of([0, 2, 3, 4, 6, 1, 7]),
      dice.of([0, 1, 2]),
    );
  else if (kind === 1) chunks.splice(at, 0, pngHeader(dice.of(sizes), dice.of(sizes)));
  else if (kind === 2 && idat) idat.content = zlibZeros(dice.of([1, 30, 200, 1400]));
  else if (kind === 3) chunks.splice(at, 0, textChunk(dice.of(keywords), dice.of(texts), dice));
  else if (kind === 4)
    chunks.splice(at, 0, {
      name: 'zTXt',
      content: Buffer.concat([Buffer.from(`${dice.of(keywords)}\0\0`), zlibZeros(dice.of([1, 30, 1400]))]),
    });
  else if (kind === 5)
    chunks.splice(at, 0, {
      name: 'iCCP',
      content: Buffer.concat([Buffer.from('p\0\0'), zlibZeros(dice.of([1, 30, 1400]))]),
    });
  else if (kind === 6)
    chunks.splice(at, 0, {
      name: dice.of(['tRNS', 'PLTE', 'acTL', 'fcTL', 'fdAT', 'pHYs', 'gAMA', 'eXIf']),
      content: dice.bytes(dice.below(60)),
    });
  else if (kind === 7) chunks.splice(at, dice.below(2), dice.of(chunks));
  else if (idat)
    chunks.splice(at, 0, { name: 'IDAT', content: idat.content.subarray(0, dice.below(idat.content.length)) });
}

export function textChunk(keyword: string, text: string, dice: Dice): PngChunk {
  const key = `${keyword}\0`;
  switch (dice.below(4)) {
    case 0:
      return { name: 'tEXt', content: Buffer.from(key + text) };
    case 1:
      return { name: 'zTXt', content: Buffer.concat([Buffer.from(`${key}\0`), deflateSync(text)]) };
    case 2:
      return { name: 'iTXt', content: Buffer.concat([Buffer.from(`${key}\x01\0\0\0`), deflateSync(text)]) };
    default:
      return { name: 'iTXt', content: Buffer.from(`${key}\0\0\0\0${text}`) };
  }
}
