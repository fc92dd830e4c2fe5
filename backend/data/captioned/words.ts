/**
 * The words of captions and what each means. Captions are written from these lists (caption.ts), prompts that people type
 * are read by them (prompt.ts), and a tokenizer for the data set needs no others.
 */
import type { ColourName, PlaceName, ShapeName, SizeName } from './attributes.ts';

/** First the name itself, which captions use most. */
export const colourWords: Readonly<Record<ColourName, readonly string[]>> = {
  red: ['red'],
  orange: ['orange'],
  yellow: ['yellow'],
  green: ['green'],
  cyan: ['cyan', 'turquoise'],
  blue: ['blue'],
  purple: ['purple', 'violet'],
  pink: ['pink'],
  white: ['white'],
  black: ['black'],
};

export const shapeWords: Readonly<Record<ShapeName, readonly string[]>> = {
  circle: ['circle', 'disc'],
  square: ['square', 'box'],
  triangle: ['triangle'],
  star: ['star'],
  heart: ['heart'],
  ring: ['ring', 'hoop'],
};

export const sizeWords: Readonly<Record<SizeName, readonly string[]>> = {
  small: ['small', 'little', 'tiny'],
  large: ['large', 'big', 'huge'],
};

export const groundWords: readonly string[] = ['ground', 'background', 'backdrop'];

/** Says that there is a shape, and not which. */
export const anyShapeWord = 'shape';

/** How captions say where; what stands twice is said more often. */
export const placePhrases: Readonly<Record<PlaceName, readonly string[]>> = {
  'top left': corner('top', 'upper', 'left'),
  top: ['at the top', 'near the top'],
  'top right': corner('top', 'upper', 'right'),
  left: ['on the left', 'on the left', 'at the left', 'on the left side'],
  centre: ['in the centre', 'in the centre', 'in the center', 'in the middle', 'at the centre'],
  right: ['on the right', 'on the right', 'at the right', 'on the right side'],
  'bottom left': corner('bottom', 'lower', 'left'),
  bottom: ['at the bottom', 'near the bottom'],
  'bottom right': corner('bottom', 'lower', 'right'),
};

function corner(row: string, other: string, column: string): string[] {
  const both = `${row} ${column}`;
  return [`at the ${both}`, `in the ${both}`, `in the ${both} corner`, `in the ${other} ${column} corner`];
}

/** What reading a place goes by: each word says which row (0..2) or which column it means. */
export const rowWords: Readonly<Record<string, number>> = { top: 0, upper: 0, bottom: 2, lower: 2 };
export const columnWords: Readonly<Record<string, number>> = { left: 0, right: 2 };
export const centreWords: readonly string[] = ['centre', 'center', 'middle'];

/** Words without a meaning of their own. */
export const fillers = [
  'a',
  'an',
  'the',
  'on',
  'in',
  'at',
  'of',
  'and',
  'with',
  'is',
  'there',
  'near',
  'side',
  'corner',
];

/** Every word that a caption can have, each once, and the comma. */
export function allWords(): string[] {
  const lists = [colourWords, shapeWords, sizeWords].flatMap((words) => Object.values<readonly string[]>(words).flat());
  const places = [...Object.keys(rowWords), ...Object.keys(columnWords), ...centreWords];
  return [...new Set([...fillers, ...lists, ...places, ...groundWords, anyShapeWord, ','])];
}
