/** A picture file of a person, JPEG or PNG by what is in it rather than by its name, as pixels. */
import type { DecodedPicture } from './decoded-picture.ts';
import { decodeJpeg } from './jpeg.ts';
import { decodeAnyPng } from './png.ts';

/** Throws Error that says what is wrong, without the file's name. */
export function decodePicture(bytes: Uint8Array): DecodedPicture {
  if (bytes.length === 0) throw new Error('it is empty');
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeJpeg(bytes);
  if (Buffer.from(bytes.subarray(1, 4)).toString('latin1') === 'PNG') return decodeAnyPng(bytes);
  throw new Error('it is neither JPEG nor PNG');
}
