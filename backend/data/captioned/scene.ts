/**
 * The procedural data set "captioned scenes": one or two shapes with colour, size and place on a coloured ground, and a
 * caption that says so. 64x64 pixels.
 *
 * Every scene is a pure function of (seed, split, index). Names are drawn evenly, what they stand for varies a little:
 * colours around their palette entry, sizes and places within their range, every shape turned slightly from upright.
 *
 * Split `train` has no combination of colour, shape and place for which `heldOut` is true; in `held-out` every scene has
 * at least one, and its caption names all three of them.
 */
import { stream } from '../../random/stream.ts';
import { type Colour, groundAt, type SceneParameters } from '../scenes/scene.ts';
import { coverage, type Pose, shapes } from '../scenes/shapes.ts';
import {
  type ColourName,
  colourNames,
  colourSpread,
  heldOut,
  layout,
  lightColours,
  type PlaceName,
  palette,
  placeNames,
  type ShapeName,
  shapeIds,
  shapeNames,
  sizeNames,
  type Thing,
  type Wanted,
} from './attributes.ts';
import { captionOf } from './caption.ts';
import { Draws } from './draws.ts';

/** Pixels per side. */
export const captionedSize = 64;

export type Split = 'train' | 'held-out';

/**
 * Which scenes there are. In `light-on-dark` there is one shape, lighter than the ground: a place then makes its part of the
 * mean image lighter, where it changes nothing in the mean over all pairs of colours.
 */
export type SceneKind = 'all' | 'light-on-dark';

/** A shape as it is drawn: its names and what they came to. */
export interface DrawnThing extends Thing {
  /** Pixels, y down; reach is the distance from the centre of mass to the farthest point. */
  readonly pose: Pose;
  readonly shade: Colour;
}

export interface CaptionedScene {
  readonly things: readonly DrawnThing[];
  readonly ground: ColourName;
  /** The ground as it is drawn, with its slight linear gradient. */
  readonly backdrop: Pick<SceneParameters, 'groundColour' | 'gradient' | 'gradientAngle'>;
  readonly caption: string;
  /** What the caption says: the names above, null for those that it leaves out. */
  readonly wanted: Wanted;
}

/** Largest change of the ground towards a corner, per channel. */
const GRADIENT = 0.06;
/** Largest turn from upright, radians. */
const TURN = 0.3;
/** The rotation that makes a shape of scenes/shapes.ts stand upright, radians. */
const upright: Readonly<Record<ShapeName, number>> = {
  circle: 0,
  ring: 0,
  square: Math.PI / 4,
  triangle: -Math.PI / 2,
  star: -Math.PI / 2,
  heart: Math.PI,
};

/** The scene number `index` (0, 1, ...) of a split of the data set `seed`. */
export function captionedScene(
  seed: number,
  index: number,
  { split = 'train' as Split, kind = 'all' as SceneKind } = {},
): CaptionedScene {
  const draws = new Draws(stream(seed, 'captioned scene', split, index));
  const simple = kind === 'light-on-dark';
  const count = draws.chance(0.5) || simple ? 1 : 2;
  const isLight = (colour: ColourName) => lightColours.includes(colour);
  for (;;) {
    const things = drawThings(count, draws, split);
    if (things === undefined || (simple && !things.every(({ colour }) => isLight(colour)))) continue;
    const grounds = colourNames.filter((name) => !(simple && isLight(name)));
    const ground = draws.pick(grounds.filter((name) => things.every(({ colour }) => colour !== name)));
    const backdrop = {
      groundColour: shadeOf(ground, draws),
      gradient: [draws.around(GRADIENT), draws.around(GRADIENT), draws.around(GRADIENT)] as const,
      gradientAngle: 2 * Math.PI * draws.uniform(),
    };
    return { things, ground, backdrop, ...captionOf(things, ground, split === 'held-out', draws) };
  }
}

/** Shapes that the split may have and that lie clear of each other; undefined when the draw must be repeated. */
function drawThings(count: number, draws: Draws, split: Split): DrawnThing[] | undefined {
  const things = Array.from({ length: count }, () => drawThing(draws));
  const allowed = split === 'train' ? !things.some(heldOut) : things.some(heldOut);
  if (!allowed) return undefined;
  const [one, two] = things;
  if (one === undefined || two === undefined) return things;
  if (one.shape === two.shape && one.colour === two.colour) return undefined;
  const apart = Math.hypot(one.pose.x - two.pose.x, one.pose.y - two.pose.y);
  return apart < one.pose.reach + two.pose.reach + layout.gap * captionedSize ? undefined : things;
}

function drawThing(draws: Draws): DrawnThing {
  const colour = draws.pick(colourNames);
  const shape = draws.pick(shapeNames);
  const size = draws.pick(sizeNames);
  const place = draws.pick(placeNames);
  const reach = draws.between(layout.reach[size]);
  const [row, column] = cellOf(place);
  return {
    shape,
    colour,
    size,
    place,
    shade: shadeOf(colour, draws),
    pose: {
      x: captionedSize * draws.between(rangeOf(column, reach)),
      y: captionedSize * draws.between(rangeOf(row, reach)),
      reach: captionedSize * reach,
      rotation: upright[shape] + draws.around(TURN),
    },
  };
}

function cellOf(place: PlaceName): [row: number, column: number] {
  const at = placeNames.indexOf(place);
  return [Math.floor(at / 3), at % 3];
}

/** Where the centre of a shape in row or column 0, 1, 2 may lie. */
function rangeOf(cell: number, reach: number): readonly [number, number] {
  const edge = reach + layout.margin;
  if (cell === 1) return layout.middle;
  return cell === 0 ? [edge, layout.outer] : [1 - layout.outer, 1 - edge];
}

function shadeOf(name: ColourName, draws: Draws): Colour {
  const channel = (c: 0 | 1 | 2) => palette[name][c] + draws.around(colourSpread);
  return [channel(0), channel(1), channel(2)];
}

const cover = new Float32Array(captionedSize ** 2);

/** Draws a scene into `out`, 3 * 64 * 64 numbers in [-1, 1], anti-aliased. */
export function paintCaptioned(scene: Pick<CaptionedScene, 'things' | 'backdrop'>, out: Float32Array): Float32Array {
  const pixels = captionedSize ** 2;
  const { backdrop, things } = scene;
  const at = (column: number, row: number) =>
    groundAt(backdrop, (column + 0.5) / captionedSize, (row + 0.5) / captionedSize);
  const [first, right, below] = [at(0, 0), at(1, 0), at(0, 1)];
  for (let c = 0; c < 3; c++) {
    const start = first[c]!;
    const across = right[c]! - start;
    const down = below[c]! - start;
    for (let i = 0; i < pixels; i++) {
      const value = start + across * (i % captionedSize) + down * Math.floor(i / captionedSize);
      out[c * pixels + i] = Math.min(1, Math.max(-1, value));
    }
  }
  for (const { shape, pose, shade } of things) {
    coverage(shapes[shapeIds[shape]]!, pose, captionedSize, cover);
    for (let i = 0; i < pixels; i++) {
      const part = cover[i]!;
      if (part === 0) continue;
      for (let c = 0; c < 3; c++) {
        const below = out[c * pixels + i]!;
        out[c * pixels + i] = below + part * (Math.min(1, Math.max(-1, shade[c]!)) - below);
      }
    }
  }
  return out;
}
