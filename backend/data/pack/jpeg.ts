/**
 * Photographs: baseline and progressive JPEG. The decoder is lenient, so what it would not notice is looked for first: a file
 * that is cut off, and one that would keep it busy for hours.
 */
import { decode } from 'jpeg-js';
import type { DecodedPicture } from './decoded-picture.ts';
import { type Orientation, tiffOrientation } from './tiff-orientation.ts';

/** A hundred million pixels are more than cameras make; a picture of one colour has thousands of pixels a byte. */
const limits = { megapixels: 100, megabytes: 1024, freePixels: 2 ** 20, pixelsPerByte: 2000, scans: 64 };

const [startOfImage, endOfImage, startOfScan, exifSegment] = [0xd8, 0xd9, 0xda, 0xe1];
/** Start of frame, of any kind of coding: all of C0 to CF but tables (C4), a reserved one (C8) and conditions (CC). */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
/** Markers without a segment behind them. */
const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= startOfImage);

interface Frame {
  readonly width: number;
  readonly height: number;
}

/** Throws Error for what is damaged or not read. */
export function decodeJpeg(bytes: Uint8Array): DecodedPicture {
  const { orientation, frame } = describe(bytes);
  const pixels = frame.width * frame.height;
  if (pixels > limits.megapixels * 1e6) throw new Error(`it is ${frame.width} x ${frame.height}, more than is read`);
  if (pixels > limits.freePixels + limits.pixelsPerByte * bytes.length) {
    throw new Error(`it says ${frame.width} x ${frame.height}, which its ${bytes.length} bytes cannot hold`);
  }
  const { width, height, data } = decode(bytes, {
    ...{ useTArray: true, formatAsRGBA: true, tolerantDecoding: false },
    ...{ maxResolutionInMP: limits.megapixels, maxMemoryUsageInMB: limits.megabytes },
  });
  return { width, height, rgba: data, orientation };
}

/** Walks over the file's segments to its end. */
function describe(bytes: Uint8Array): { readonly orientation: Orientation; readonly frame: Frame } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cut = () => new Error(`it is cut off at byte ${bytes.length}`);
  let orientation: Orientation = 1;
  let frame: Frame | undefined;
  let scans = 0;
  for (let at = 2; ; ) {
    while (at < bytes.length && bytes[at] !== 0xff) at++; // what fills up, and the coded pixels
    if (at + 1 >= bytes.length) throw cut();
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at++;
    else if (marker === 0 || standsAlone(marker)) at += 2;
    else if (marker === endOfImage) break;
    else {
      if (at + 4 > bytes.length) throw cut();
      const end = at + 2 + view.getUint16(at + 2);
      if (end > bytes.length || end < at + 4) throw cut();
      const content = bytes.subarray(at + 4, end);
      if (isFrame(marker)) frame = frameOf(content, frame);
      if (marker === exifSegment && isExif(content)) orientation = tiffOrientation(content.subarray(6));
      if (marker === startOfScan && ++scans > limits.scans) throw new Error(`it has more than ${limits.scans} scans`);
      at = end;
    }
  }
  if (!frame || scans === 0) throw new Error('it has no picture in it');
  return { orientation, frame };
}

function frameOf(content: Uint8Array, before: Frame | undefined): Frame {
  if (before) throw new Error('it has more than one picture in it');
  if (content.length < 6) throw new Error('its header is damaged');
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content[0] !== 8) throw new Error(`it has ${content[0]} bits per channel; JPEG is read with 8`);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  if (width === 0 || height === 0) throw new Error(`it is ${width} x ${height}`);
  return { width, height };
}

const isExif = (content: Uint8Array) => Buffer.from(content.subarray(0, 6)).toString('latin1') === 'Exif\0\0';
