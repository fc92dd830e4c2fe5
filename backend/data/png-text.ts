/**
 * The texts that a PNG carries, in any of the three kinds of chunk: tEXt, compressed zTXt, and iTXt either way. Programs that
 * save a picture again choose their own kind. What is damaged or too large is left out.
 */
import { inflateSync } from 'node:zlib';

/** Of one text, inflated: the workflows of other programs take some hundred kilobytes. */
const largestText = 2 ** 21;
/** Of all of them; one that cannot be read counts too, since to find out may take as long as to read it. */
const largestAll = 2 ** 23;
const costOfNone = 2 ** 17;

/** By keyword; of two with the same one the last counts. */
export function readPngText(png: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const texts = new Map<string, string>();
  let left = largestAll;
  for (let at = 8; at + 12 <= bytes.length && left > 0; at += bytes.readUInt32BE(at) + 12) {
    const read = readers[bytes.toString('latin1', at + 4, at + 8)];
    if (!read) continue;
    const body = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
    const end = body.indexOf(0);
    if (end < 1 || end > 79) continue;
    const text = read(body.subarray(end + 1));
    left -= text?.length ?? costOfNone;
    if (text === null || left < 0) continue;
    texts.set(body.toString('latin1', 0, end), text);
  }
  return Object.fromEntries(texts);
}

/** What stands after the keyword and its 0; null for what is damaged. */
type Reader = (body: Buffer) => string | null;

const readers: Readonly<Record<string, Reader>> = {
  tEXt: latin1,
  zTXt: (body) => (body[0] === 0 ? inflated(body.subarray(1), latin1) : null),
  // Whether it is compressed, how, the language and its 0, the translated keyword and its 0, the text.
  iTXt(body) {
    const language = body.indexOf(0, 2);
    const translated = language < 0 ? -1 : body.indexOf(0, language + 1);
    if (translated < 0) return null;
    const text = body.subarray(translated + 1);
    if (body[0] === 0) return utf8(text);
    return body[0] === 1 && body[1] === 0 ? inflated(text, utf8) : null;
  },
};

function utf8(bytes: Buffer): string | null {
  return bytes.length > largestText ? null : bytes.toString('utf8');
}

/** The standard says Latin-1; programs that do not care write UTF-8, which is hardly ever Latin-1 by chance. */
function latin1(bytes: Buffer): string | null {
  if (bytes.length > largestText) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

function inflated(bytes: Buffer, read: Reader): string | null {
  try {
    return read(inflateSync(bytes, { maxOutputLength: largestText }));
  } catch {
    return null;
  }
}
