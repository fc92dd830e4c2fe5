/** The colours of signed numbers in the editor's theme, as tables and as pixels of a canvas. */
import { isDark } from '../colours.ts';
import { divergingColours } from './diverging.ts';

export { tableIndex } from './diverging.ts';

/** Not a number: no value has this colour. */
export const nanColour: readonly [number, number, number] = [255, 0, 200];

export const divergingTable = (): Uint8ClampedArray => divergingColours(isDark());

const inks = new Map<Uint8ClampedArray, Uint32Array>();

/** The same colours as a canvas's pixels, opaque: RGBA in the byte order of every machine that browsers run on. */
export function divergingInk(): Uint32Array {
  const table = divergingTable();
  const made = inks.get(table) ?? Uint32Array.from({ length: table.length / 3 }, (_, i) => ink(table, i * 3));
  inks.set(table, made);
  return made;
}

export const nanInk = ink(nanColour, 0);

function ink(rgb: ArrayLike<number>, at: number): number {
  return (0xff000000 | (rgb[at + 2]! << 16) | (rgb[at + 1]! << 8) | rgb[at]!) >>> 0;
}
