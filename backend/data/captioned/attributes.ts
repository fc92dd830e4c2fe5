/**
 * The named attributes of captioned scenes: what they are called, what each name stands for in an image, and which
 * combinations are kept from training.
 */
import { type Colour, colourDistance } from '../scenes/scene.ts';
import { shapes } from '../scenes/shapes.ts';

/** Colours by name, red, green, blue in [-1, 1]; every two at least 0.75 apart. */
export const palette = {
  red: [0.8, -0.75, -0.7],
  orange: [0.95, 0.1, -0.85],
  yellow: [0.95, 0.85, -0.5],
  green: [-0.7, 0.35, -0.55],
  cyan: [-0.55, 0.7, 0.85],
  blue: [-0.7, -0.4, 0.8],
  purple: [0.2, -0.65, 0.6],
  pink: [0.95, 0.2, 0.6],
  white: [0.9, 0.9, 0.9],
  black: [-0.88, -0.88, -0.88],
} as const satisfies Record<string, Colour>;

export type ColourName = keyof typeof palette;
/** Those lighter than all the others. */
export const lightColours: readonly ColourName[] = ['orange', 'yellow', 'cyan', 'pink', 'white'];
export type ShapeName = 'circle' | 'square' | 'triangle' | 'star' | 'heart' | 'ring';
export type SizeName = 'small' | 'large';
export type PlaceName =
  | 'top left'
  | 'top'
  | 'top right'
  | 'left'
  | 'centre'
  | 'right'
  | 'bottom left'
  | 'bottom'
  | 'bottom right';

export const colourNames = Object.keys(palette) as ColourName[];
export const shapeNames: readonly ShapeName[] = ['circle', 'square', 'triangle', 'star', 'heart', 'ring'];
export const sizeNames: readonly SizeName[] = ['small', 'large'];
/** Row by row, as they lie in the image. */
export const placeNames: readonly PlaceName[] = [
  'top left',
  'top',
  'top right',
  'left',
  'centre',
  'right',
  'bottom left',
  'bottom',
  'bottom right',
];

/** All that a caption can say about one shape. */
export interface Thing {
  readonly shape: ShapeName;
  readonly colour: ColourName;
  readonly size: SizeName;
  readonly place: PlaceName;
}

/** What a caption does say about one shape; null where it leaves the matter open. */
export type WantedThing = { readonly [Key in keyof Thing]: Thing[Key] | null };

/** What a caption says about an image. */
export interface Wanted {
  /** One or two. */
  readonly things: readonly WantedThing[];
  readonly ground: ColourName | null;
}

/** How scenes are laid out, in fractions of the image side. */
export const layout = {
  /** Distance from a shape's centre to its farthest point, by size. */
  reach: { small: [0.12, 0.155], large: [0.19, 0.25] },
  /** What lies between small and large. */
  reachBoundary: 0.172,
  /** Where the centres of left/top, of the middle and of right/bottom begin or end: a band nobody uses between them. */
  outer: 0.36,
  middle: [0.44, 0.56],
  /** What lies between the outer places and the middle. */
  placeBoundary: 0.4,
  /** Least distance of a shape's farthest point from the image's edge. */
  margin: 0.02,
  /** Least distance between the circles that two shapes turn in. */
  gap: 0.05,
} as const;

/** Largest deviation of a drawn colour from its palette entry, per channel. */
export const colourSpread = 0.1;

/** A colour farther than this from every entry of the palette has no name. */
const NAMELESS = 0.6;

/** The name of the nearest palette entry; null when none is near. */
export function nameOfColour(colour: Colour): ColourName | null {
  let name: ColourName | null = null;
  let least: number = NAMELESS;
  for (const each of colourNames) {
    const distance = colourDistance(colour, palette[each]);
    if (distance < least) {
      least = distance;
      name = each;
    }
  }
  return name;
}

/** The place of a centre given in fractions of the image side, y down. */
export function nameOfPlace(x: number, y: number): PlaceName {
  const cell = (at: number) => (at < layout.placeBoundary ? 0 : at > 1 - layout.placeBoundary ? 2 : 1);
  return placeNames[3 * cell(y) + cell(x)]!;
}

export function nameOfSize(reach: number): SizeName {
  return reach < layout.reachBoundary ? 'small' : 'large';
}

/** Class ids of scenes/shapes.ts by the captions' names. */
export const shapeIds: Readonly<Record<ShapeName, number>> = {
  circle: idOf('disc'),
  square: idOf('square'),
  triangle: idOf('triangle'),
  star: idOf('star'),
  heart: idOf('heart'),
  ring: idOf('ring'),
};

function idOf(name: string): number {
  const id = shapes.findIndex((shape) => shape.name === name);
  if (id < 0) throw new Error(`no shape ${name}`);
  return id;
}

/** The shape's name by its class id; null for the classes that captioned scenes do without. */
export function nameOfShape(id: number): ShapeName | null {
  return shapeNames.find((name) => shapeIds[name] === id) ?? null;
}

/** One combination in this many is kept from training. */
const HELD_OUT_EVERY = 10;

/**
 * Whether training never shows this combination: about one in ten of the 540. Decided by a hash of the names alone (FNV-1a), so
 * that it is the same for every seed and version.
 */
export function heldOut({ colour, shape, place }: Pick<Thing, 'colour' | 'shape' | 'place'>): boolean {
  let hash = 0x811c9dc5;
  for (const character of `${place} ${colour} ${shape}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  // FNV alone mixes the last characters poorly: MurmurHash's last step after it.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % HELD_OUT_EVERY === 0;
}
