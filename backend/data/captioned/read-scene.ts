/**
 * Reads back from pixels what a captioned scene shows, with no learned weights.
 *
 * 1. The ground, linear in x and y, is fitted to the image's frame; what differs from it falls into connected patches.
 * 2. Every patch has one colour, hence for every pixel how much of it is the patch's.
 * 3. Every class of scenes/shapes.ts is fitted to that map. A patch is of the class of the least misfit (squared error,
 *    less what the image's own noise explains, in pixels) if that is a small part of its area, and clearly below the next
 *    class's.
 * 4. Colours are called by the nearest name, places by the centre, sizes by the reach.
 */
import type { TensorData } from '../../graph/tensor-data.ts';
import { groundOfFrame } from '../scenes/pixel-model.ts';
import { fitPoses } from '../scenes/pose-fit.ts';
import { type Colour, colourDistance } from '../scenes/scene.ts';
import { type Pose, shapes } from '../scenes/shapes.ts';
import {
  type ColourName,
  nameOfColour,
  nameOfPlace,
  nameOfShape,
  nameOfSize,
  type PlaceName,
  type ShapeName,
  type SizeName,
} from './attributes.ts';
import { captionedSize } from './scene.ts';
import { type Patch, segment } from './segment.ts';

/** What an image must keep to be read. */
const limits = {
  /** Largest standard deviation of the ground's noise. */
  noise: 0.12,
  /** Most pixels that may lie about as specks. */
  specks: 12,
  /** More patches than this are no scene. */
  patches: 4,
  /** Largest misfit as a part of the shape's area, and in pixels per pixel of its reach: what a soft outline makes of it. */
  misfit: 0.15,
  misfitPerReach: 2,
  /** The runner-up's misfit must be at least this many times the best. */
  ratio: 1.25,
} as const;

/** Classes that are fitted to the end. */
const CANDIDATES = 3;
/** How far around its pixels a patch's map reaches. */
const RIM = 2;
/** Maps wider than this are fitted at half their resolution: a quarter of the work, and precise enough. */
const WIDE = 30;

export interface FoundThing {
  /** Null when the patch is no shape of the captions, or cannot be told from another. */
  readonly shape: ShapeName | null;
  /** Null when no name is near. */
  readonly colour: ColourName | null;
  readonly size: SizeName;
  readonly place: PlaceName;
  /** The colour as measured. */
  readonly shade: Colour;
  /** Pixels; y down. */
  readonly pose: Pose;
  /** Of the best class and of the next, in pixels. */
  readonly misfit: number;
  readonly runnerUpMisfit: number;
}

export interface FoundScene {
  /** Why the image is no scene at all; undefined when it is one. */
  readonly reason?: string;
  readonly ground: ColourName | null;
  /** Largest first. */
  readonly things: readonly FoundThing[];
}

/** Reads one image, [3, 64, 64] or the same numbers flat, values near [-1, 1]. */
export function readScene(image: TensorData | Float32Array): FoundScene {
  const data = 'data' in image ? image.data : image;
  if (data.length !== 3 * captionedSize ** 2) throw new Error(`readScene: ${data.length} numbers are not 3 x 64 x 64`);
  const nothing = { ground: null, things: [] };
  if (!data.every(Number.isFinite)) return { reason: 'a pixel is not finite', ...nothing };
  const fitted = groundOfFrame(data, captionedSize);
  if (fitted === undefined) return { reason: 'the frame is not a smooth ground', ...nothing };
  const { ground, groundColour, patches, specks, noise } = segment(data, fitted, captionedSize);
  if (!(noise <= limits.noise)) return { reason: `noise of ${noise.toFixed(2)}`, ...nothing };
  const name = nameOfColour(groundColour);
  if (patches.length === 0) return { reason: 'nothing stands out from the ground', ground: name, things: [] };
  if (patches.length > limits.patches) {
    return { reason: `${patches.length} patches stand out from the ground`, ground: name, things: [] };
  }
  const things = patches.map((patch) => identify(patch, data, ground, noise));
  const reason = specks > limits.specks ? `${specks} pixels are specks` : undefined;
  return { ...(reason === undefined ? {} : { reason }), ground: name, things };
}

function identify(patch: Patch, image: Float32Array, ground: Float32Array, noise: number): FoundThing {
  const { map, size, left, top, scale, mixed } = mapOf(patch, image, ground);
  const blob = {
    x: (patch.x - left) / scale,
    y: (patch.y - top) / scale,
    area: patch.members.length / scale ** 2,
  };
  const fits = fitPoses(map, size, blob, CANDIDATES, 1).sort((a, b) => a.error - b.error);
  const [best, next] = fits as [(typeof fits)[number], (typeof fits)[number]];
  // Noise adds to the error of every pixel that it can push either way (clipping to [0, 1] halves it); averaging lessens it.
  const excuse = (0.5 * mixed * (noise / colourDistance(patch.colour, patch.below)) ** 2) / scale ** 2;
  const misfit = Math.max(0, best.error * scale ** 2 - excuse);
  const runnerUpMisfit = Math.max(0, next.error * scale ** 2 - excuse);
  const pose = {
    x: best.pose.x * scale + left,
    y: best.pose.y * scale + top,
    reach: best.pose.reach * scale,
    rotation: best.pose.rotation,
  };
  const area = shapes[best.id]!.area * pose.reach ** 2;
  const allowed = Math.min(limits.misfit * area, limits.misfitPerReach * pose.reach);
  const clear = misfit <= allowed && runnerUpMisfit >= limits.ratio * misfit;
  return {
    shape: clear ? nameOfShape(best.id) : null,
    colour: nameOfColour(patch.colour),
    size: nameOfSize(pose.reach / captionedSize),
    place: nameOfPlace(pose.x / captionedSize, pose.y / captionedSize),
    shade: patch.colour,
    pose,
    misfit,
    runnerUpMisfit,
  };
}

/**
 * How much of each pixel near a patch is the patch's colour, on a square of its own; zero farther away. Its pixels are `scale` of
 * the image's wide; `mixed` counts the image's pixels in it.
 */
function mapOf({ members, colour }: Patch, image: Float32Array, ground: Float32Array) {
  const pixels = captionedSize ** 2;
  const columns = members.map((at) => at % captionedSize);
  const rows = members.map((at) => Math.floor(at / captionedSize));
  const left = Math.min(...columns) - RIM - 1;
  const top = Math.min(...rows) - RIM - 1;
  const width = Math.max(Math.max(...columns) - left, Math.max(...rows) - top) + RIM + 2;
  const size = width + (width % 2);
  const near = new Uint8Array(size * size);
  for (const [k, column] of columns.entries()) {
    for (let dy = -RIM; dy <= RIM; dy++) {
      const start = (rows[k]! - top + dy) * size + column - left;
      near.fill(1, start - RIM, start + RIM + 1);
    }
  }
  const map = new Float32Array(size * size);
  let mixed = 0;
  for (let i = 0; i < map.length; i++) {
    if (near[i] === 0) continue;
    const column = left + (i % size);
    const row = top + Math.floor(i / size);
    if (column < 0 || row < 0 || column >= captionedSize || row >= captionedSize) continue;
    const at = row * captionedSize + column;
    let along = 0;
    let length = 0;
    for (let c = 0; c < 3; c++) {
      const below = ground[at + c * pixels]!;
      const step = colour[c]! - below;
      along += step * (image[at + c * pixels]! - below);
      length += step * step;
    }
    map[i] = Math.min(1, Math.max(0, along / Math.max(length, 1e-6)));
    mixed++;
  }
  return size > WIDE
    ? { map: halved(map, size), size: size / 2, left, top, scale: 2, mixed }
    : { map, size, left, top, scale: 1, mixed };
}

/** Means of two by two. */
function halved(map: Float32Array, size: number): Float32Array {
  const half = size / 2;
  return Float32Array.from({ length: half * half }, (_, i) => {
    const at = 2 * Math.floor(i / half) * size + 2 * (i % half);
    return (map[at]! + map[at + 1]! + map[at + size]! + map[at + size + 1]!) / 4;
  });
}
