/**
 * Images to PNG files and back, with text chunks, so that a picture carries the run, step and seed that made it.
 *
 * The 8-bit quantisation is EDM's: value = floor(127.5 x + 128) clipped to 0..255, and x = value / 127.5 - 1 back.
 */
import CRC32 from 'crc-32';
import { decode, encode } from 'fast-png';
import { type TensorData, tensorData } from '../graph/tensor-data.ts';
import { headerBytes, pixelsOnly, transparencyOf } from './png-pixels.ts';

export { headerBytes };

/** A picture that someone trains on has a hundredth; one that is larger would take gigabytes. */
const mostPixels = 2 ** 23;

/** 0..255, as EDM's generate.py rounds; NaN becomes 0. */
export function toByte(x: number): number {
  return Math.min(255, Math.max(0, Math.floor(x * 127.5 + 128))) || 0;
}

/**
 * One image as a PNG file.
 * @param image [C, H, W] in [-1, 1] (clipped), C = 1 (gray) or 3
 * @param text keyword (1..79 Latin-1 characters) to text of any script
 */
export function encodePng(image: TensorData, text: Record<string, string> = {}): Uint8Array {
  const [channels, height, width] = image.shape;
  if (image.shape.length !== 3 || (channels !== 1 && channels !== 3) || !height || !width) {
    throw new Error(`a PNG needs [1 or 3, H, W], got [${image.shape.join(', ')}]`);
  }
  const pixels = height * width;
  const data = new Uint8Array(pixels * channels);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) data[i * channels + c] = toByte(image.data[c * pixels + i]!);
  }
  const png = encode({ width, height, data, depth: 8, channels });
  const chunks = Object.entries(text).map(([keyword, value]) => textChunk(keyword, value));
  return Buffer.concat([png.subarray(0, headerBytes), ...chunks, png.subarray(headerBytes)]);
}

/** An uncompressed iTXt chunk: tEXt holds Latin-1 only, and a prompt may be in any script. */
function textChunk(keyword: string, text: string): Uint8Array {
  const body = Buffer.concat([
    Buffer.from('iTXt'),
    Buffer.from(keyword, 'latin1'),
    // After the keyword: terminator, not compressed, method 0, empty language tag, empty translated keyword.
    Buffer.from([0, 0, 0, 0, 0]),
    Buffer.from(text, 'utf8'),
  ]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeInt32BE(CRC32.buf(body), chunk.length - 4);
  return chunk;
}

/**
 * The shape [C, H, W] that `decodePng` will give, from the first `headerBytes` of a file.
 * @throws Error for what is no PNG, or one that is not decoded here
 */
export function pngShape(png: Uint8Array): [channels: number, height: number, width: number] {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const other = others.find(([beginning]) => beginning.test(bytes.toString('latin1', 0, headerBytes)));
  if (other) throw new Error(`it is ${other[1]}, whatever it is called`);
  if (bytes.length < headerBytes) throw new Error(`the file ends at byte ${bytes.length}`);
  if (!bytes.subarray(0, start.length).equals(start)) throw new Error('it is not a PNG');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [depth, colour] = [bytes[depthAt]!, bytes[colourAt]!];
  if (width === 0 || height === 0) throw new Error(`it is ${width} x ${height}`);
  if (width * height > mostPixels) {
    throw new Error(`it is ${width} x ${height}, more than the ${mostPixels} pixels that are read`);
  }
  if (depth > 8) throw new Error(`${depth} bits per channel; at most 8 are supported`);
  const channels = channelsOf[colour];
  if (channels === undefined) throw new Error(`kind of colour ${colour}`);
  if (channels === 'alpha') throw new Error('it has an alpha channel');
  // The decoder takes the pixels of an interlaced file for bytes.
  if (depth < 8 && bytes[interlaceAt] !== 0)
    throw new Error(`it is interlaced with ${depth} bits per pixel; save it plain`);
  return [channels, height, width];
}

/** What is often called .png and is none. */
const others: readonly [beginning: RegExp, what: string][] = [
  [/^\xff\xd8\xff/, 'a JPEG picture'],
  [/^RIFF....WEBP/s, 'a WebP picture'],
  [/^GIF8[79]a/, 'a GIF picture'],
  [/^BM....\0\0\0\0/s, 'a BMP picture'],
  [/^(II\*\0|MM\0\*)/, 'a TIFF picture'],
  [/^....ftyp(avif|avis|heic|heix|mif1)/s, 'an AVIF or HEIF picture'],
  [/^version https:\/\/git-lfs/, 'the stand-in of a file that Git LFS keeps (git lfs pull fetches it)'],
  [/^\s*<(!doctype|html|\?xml|svg)[\s>]/i, 'a web page or an SVG'],
];

/** The signature, and the head of the IHDR chunk, which must come first. */
const start = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
/** By PNG's kinds of colour. A palette's colours are RGB. */
const channelsOf: Readonly<Record<number, number | 'alpha'>> = { 0: 1, 2: 3, 3: 3, 4: 'alpha', 6: 'alpha' };

/** A decoded picture: [C, H, W] in [-1, 1] with C = 1 or 3; a palette gives its colours, fewer bits all of the range. */
export function decodePng(png: Uint8Array): TensorData {
  const [outChannels] = pngShape(png);
  const samples = png[colourAt] === 2 ? 3 : 1; // a palette's colour is one number
  const { width, height, data, depth, channels, palette } = decode(pixelsOnly(png, samples * png[depthAt]!));
  const pixels = width * height;
  // In a picture of three channels a palette is advice to displays of few colours.
  const colours = channels === 1 ? palette : undefined;
  const values = depth < 8 ? unpacked(data, width, height, depth) : data;
  const transparency = transparencyOf(png);
  if (transparency) refuseTransparent(values, transparency, colours ? 0 : channels);
  const white = colours ? 255 : 2 ** depth - 1;
  const out = new Float32Array(outChannels * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < outChannels; c++) {
      const value = colours ? colours[values[i]!]?.[c] : (values[i * channels + c]! * 255) / white;
      if (value === undefined) throw new Error(`it names colour ${values[i]} of a palette of ${colours?.length}`);
      out[c * pixels + i] = value / 127.5 - 1;
    }
  }
  return tensorData([outChannels, height, width], out);
}

/** @param channels 0 for a palette */
function refuseTransparent(values: ArrayLike<number>, transparency: Uint8Array, channels: number): void {
  const isSeen = (at: number) => {
    if (channels === 0) return (transparency[values[at]!] ?? 255) === 255;
    for (let c = 0; c < channels; c++) if (values[at + c] !== transparency[2 * c + 1]) return true;
    return false;
  };
  for (let at = 0; at < values.length; at += channels || 1) {
    if (!isSeen(at)) throw new Error('it has transparent pixels');
  }
}

/** Of the file: signature, length and name of its first chunk, and there width, height and four bytes. */
const [depthAt, colourAt, interlaceAt] = [24, 25, 28];

/** A byte for each pixel; in the file every row begins with a byte of its own, its first pixel in the highest bits. */
export function unpacked(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth;
    const byte = packed[Math.floor(i / width) * rowBytes + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

/**
 * Lays a batch out as one picture, row by row.
 * @param images [N, C, H, W]
 * @param gap white pixels between neighbours
 * @returns [C, rows * (H + gap) - gap, columns * (W + gap) - gap]
 */
export function imageGrid(images: TensorData, columns: number, gap = 2): TensorData {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const rows = Math.ceil(count / columns);
  const outHeight = rows * (height + gap) - gap;
  const outWidth = columns * (width + gap) - gap;
  const out = new Float32Array(channels * outHeight * outWidth).fill(1);
  for (let n = 0; n < count; n++) {
    const top = Math.floor(n / columns) * (height + gap);
    const left = (n % columns) * (width + gap);
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height; y++) {
        const from = ((n * channels + c) * height + y) * width;
        out.set(images.data.subarray(from, from + width), (c * outHeight + top + y) * outWidth + left);
      }
    }
  }
  return tensorData([channels, outHeight, outWidth], out);
}
