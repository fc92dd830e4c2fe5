/** Numbers and texts of the old, printable protocols, and the long integers of the newer ones. */
import { refuse } from '../refusal.ts';

/** No index, size or seed comes near this many digits or bytes. */
export const longestNumber = 1024;

/** Python's int literal; small enough ones become numbers. */
export function parseInteger(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) refuse(`its pickle has '${text.slice(0, 40)}' for an integer`);
  const value = BigInt(text.replace(/^\+/, ''));
  return narrowed(value);
}

/** Two's complement, little-endian, any length. */
export function decodeLong(bytes: Uint8Array): number | bigint {
  if (bytes.length > longestNumber) refuse(`its pickle has an integer of ${bytes.length} bytes`);
  if (bytes.length === 0) return 0;
  const hex = Buffer.from(bytes).reverse().toString('hex');
  return narrowed(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`)));
}

export function parseFloatLiteral(text: string): number {
  const special = /^([+-]?)(inf|nan)$/i.exec(text);
  if (special) return special[2].toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) refuse(`its pickle has '${text.slice(0, 40)}' for a number`);
  return value;
}

/** A quoted Python 2 string, repr(...) style. */
export function parseQuoted(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || !text.endsWith(quote)) {
    refuse('its pickle has a text without quotes');
  }
  const names: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"' };
  return text
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (whole, hex: string | undefined, name: string) =>
      hex === undefined ? (names[name] ?? whole) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

/** Python's raw-unicode-escape. */
export function parseRawUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (whole, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
