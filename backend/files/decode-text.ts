/**
 * Bytes as text: UTF-8, or UTF-16 where its mark says so. Everything else is refused by the name of what it seems to be,
 * since text that is read in the wrong encoding is not seen to be wrong until a model has learned it.
 */
import { UserError } from '../protocol/errors.ts';

/** The first bytes of files that are often taken for text, or named like it. */
const signatures: readonly [start: string, what: string][] = [
  ['PAR1', 'a Parquet file'],
  ['\x1f\x8b', 'compressed with gzip'],
  ['(\xb5/\xfd', 'compressed with zstd'],
  ['BZh9', 'compressed with bzip2'],
  ['\xfd7zXZ', 'compressed with xz'],
  ['PK\x03\x04', 'a zip, or a document of an office program'],
  ['\xd0\xcf\x11\xe0', 'a document of an office program'],
  ['\x89PNG', 'a PNG picture'],
  ['\xff\xd8\xff', 'a JPEG picture'],
  ['%PDF-', 'a PDF'],
  ['{\\rtf', 'an RTF document'],
  ['SQLite format 3', 'an SQLite database'],
  ['\xff\xfe\0\0', 'UTF-32 text'],
  ['\0\0\xfe\xff', 'UTF-32 text'],
];

/** Control characters but tabs, ends of lines, and the second set, in which Unicode has one more end of a line. */
const binary = /[^\P{Cc}\t\n\v\f\r\u0080-\u009f]/u;

/**
 * The text without its mark.
 * @param file for messages
 * @throws UserError('data')
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16)).toString('latin1');
  const known = signatures.find(([signature]) => start.startsWith(signature));
  if (known) throw notText(`${file} is ${known[1]}, not a text file`);
  const text = /^(\xff\xfe|\xfe\xff)/.test(start) ? fromUtf16(bytes, file) : fromUtf8(bytes, file);
  const found = binary.exec(text);
  if (!found) return text;
  const code = found[0].charCodeAt(0);
  if (code === 0 && looksLikeUtf16(bytes)) throw notText(`${file} seems to be UTF-16 text without its mark`);
  throw notText(`${file} is not a text file: it holds the character ${code} at ${placeOf(text, found.index)}`);
}

function fromUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // One character for each byte: its places are those of the file.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    if (looksLikeUtf16(bytes)) throw notText(`${file} seems to be UTF-16 text without its mark`);
    if (binary.test(text)) throw notText(`${file} is not a text file`);
    const at = soundBytes(bytes);
    const hex = bytes[at]!.toString(16).padStart(2, '0');
    const what = `${file} is not UTF-8 (byte 0x${hex} at ${placeOf(text, at)}); it seems to be in an older encoding`;
    throw notText(
      `${what}, such as Latin-1 (Windows-1252)`,
      'if that is what it is with: iconv -f WINDOWS-1252 -t UTF-8.',
    );
  }
}

/** How many bytes at the beginning are UTF-8. */
function soundBytes(bytes: Uint8Array): number {
  const isSound = (end: number, stream: boolean) => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream });
      return true;
    } catch {
      return false;
    }
  };
  let [sound, bad] = [0, bytes.length];
  while (bad - sound > 1) {
    const middle = (sound + bad) >> 1;
    if (isSound(middle, true)) sound = middle;
    else bad = middle;
  }
  // The last character may be the one that is cut off.
  while (!isSound(sound, false)) sound--;
  return sound;
}

function fromUtf16(bytes: Uint8Array, file: string): string {
  const little = bytes[0] === 0xff ? bytes : Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
  try {
    if (bytes.length % 2 === 1) throw new TypeError('half a character');
    return new TextDecoder('utf-16le', { fatal: true }).decode(little);
  } catch (cause) {
    throw new UserError('data', `${file} is damaged: it begins as UTF-16 text and does not go on as such`, savedAs, {
      cause,
    });
  }
}

/** Every other byte of Western text is 0 then. */
function looksLikeUtf16(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 1000);
  const zeros = (odd: number) => start.filter((byte, i) => i % 2 === odd && byte === 0).length;
  return (
    start.length > 3 && Math.max(zeros(0), zeros(1)) > 0.4 * (start.length / 2) && Math.min(zeros(0), zeros(1)) === 0
  );
}

const savedAs = 'Save it as plain text in UTF-8.';

function notText(message: string, more = ''): UserError {
  return new UserError('data', message, more === '' ? savedAs : `${savedAs.slice(0, -1)}, ${more}`);
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return `line ${before.length}, character ${before.at(-1)!.length + 1}`;
}
