/**
 * GPT-2's reversible table between bytes and printable characters, in which CLIP's vocabulary is written: no token holds a space or a
 * control character, so that merges can be listed as text. Printable Latin-1 stands for itself, the other bytes for U+0100 and up.
 */

/** The character of every byte. */
export const byteCharacters: readonly string[] = tabulate();

/** Bytes in the order in which a CLIP vocabulary begins: printable ones first. */
export const vocabularyOrder: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).sort(
  (a, b) => Number(isPrintable(b)) - Number(isPrintable(a)) || a - b,
);

/** UTF-8 bytes of a text as characters of the table. */
export function toByteCharacters(text: string): string[] {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => byteCharacters[byte]!);
}

function tabulate(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}

/** Printable and no space; the soft hyphen (173) is not. */
function isPrintable(byte: number): boolean {
  return (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
}
