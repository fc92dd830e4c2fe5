/**
 * Takes an image apart into a smooth ground and the connected patches that differ from it, with no learned weights and
 * no knowledge of shapes.
 */
import type { Colour } from '../scenes/scene.ts';

/** What differs from the ground by less than this (Euclidean, in [-1, 1] images) is ground, ... */
const LEAST_CONTRAST = 0.2;
/** ... as is what differs by less than this many standard deviations of the noise: no pixel in 4096 does by chance. */
const CONTRAST_PER_NOISE = 5;
/** A pixel belongs to a patch when it differs at least this part of what the pixels around it do at most. */
const PART_OF_PEAK = 0.45;
/** How far "around" reaches: less than the gap between two shapes. */
const PEAK_RADIUS = 2;
/** Patches below this many pixels are specks. */
const LEAST_AREA = 30;

/** A connected patch that differs from the ground. */
export interface Patch {
  /** Pixel indices. */
  readonly members: readonly number[];
  /** Centre of mass in pixels, y down. */
  readonly x: number;
  readonly y: number;
  /** The median of its inner pixels. */
  readonly colour: Colour;
  /** The ground below its centre. */
  readonly below: Colour;
}

export interface Segments {
  /** The fitted ground, 3 * size * size numbers. */
  readonly ground: Float32Array;
  /** The ground in the middle of the image. */
  readonly groundColour: Colour;
  /** Largest first. */
  readonly patches: readonly Patch[];
  /** How many pixels lie in patches too small to be shapes. */
  readonly specks: number;
  /** Standard deviation of what the ground's own pixels are off the fit. */
  readonly noise: number;
}

/** @param ground the linear ground, as fitted to the image's frame */
export function segment(image: Float32Array, ground: Float32Array, size: number): Segments {
  const pixels = size * size;
  const away = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    let sum = 0;
    for (let at = i; at < 3 * pixels; at += pixels) sum += (image[at]! - ground[at]!) ** 2;
    away[i] = Math.sqrt(sum);
  }
  const noise = noiseOf(away);
  const least = Math.max(LEAST_CONTRAST, CONTRAST_PER_NOISE * noise);
  const peak = largestAround(away, size);
  const marked = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) {
    marked[i] = Number(away[i]! > least && away[i]! > PART_OF_PEAK * peak[i]!);
  }
  let specks = 0;
  const patches: Patch[] = [];
  for (const members of connected(marked, size)) {
    if (members.length < LEAST_AREA) specks += members.length;
    else patches.push(measured(members, image, ground, away, size));
  }
  patches.sort((a, b) => b.members.length - a.members.length);
  const middle = pixels / 2 + size / 2;
  const groundColour: Colour = [ground[middle]!, ground[middle + pixels]!, ground[middle + 2 * pixels]!];
  return { ground, groundColour, patches, specks, noise };
}

/** Most pixels are ground: the median distance of three independent channels is at 1.538 standard deviations of one. */
function noiseOf(away: Float32Array): number {
  return away.slice().sort()[away.length >> 1]! / 1.538;
}

/** For every pixel the largest value of the square around it. */
function largestAround(values: Float32Array, size: number): Float32Array {
  const across = new Float32Array(values.length);
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const column = i % size;
    const last = i + Math.min(PEAK_RADIUS, size - 1 - column);
    let most = 0;
    for (let at = i - Math.min(PEAK_RADIUS, column); at <= last; at++) most = Math.max(most, values[at]!);
    across[i] = most;
  }
  for (let i = 0; i < values.length; i++) {
    let most = 0;
    for (let row = -PEAK_RADIUS; row <= PEAK_RADIUS; row++) most = Math.max(most, across[i + row * size] ?? 0);
    out[i] = most;
  }
  return out;
}

/** The groups of marked pixels that touch along edges. Unmarks them. */
function connected(marked: Uint8Array, size: number): number[][] {
  const groups: number[][] = [];
  for (let start = 0; start < marked.length; start++) {
    if (marked[start] === 0) continue;
    const members = [start];
    marked[start] = 0;
    const visit = (at: number) => {
      if (!marked[at]) return;
      marked[at] = 0;
      members.push(at);
    };
    for (let next = 0; next < members.length; next++) {
      const at = members[next]!;
      const column = at % size;
      if (column > 0) visit(at - 1);
      if (column < size - 1) visit(at + 1);
      visit(at - size);
      visit(at + size);
    }
    groups.push(members);
  }
  return groups;
}

function measured(
  members: readonly number[],
  image: Float32Array,
  ground: Float32Array,
  away: Float32Array,
  size: number,
): Patch {
  let x = 0;
  let y = 0;
  for (const at of members) {
    x += (at % size) + 0.5;
    y += Math.floor(at / size) + 0.5;
  }
  x /= members.length;
  y /= members.length;
  // Outline pixels are mixtures: the inner ones differ most.
  const sorted = members.map((at) => away[at]!).sort((a, b) => a - b);
  const inner = 0.85 * sorted[Math.floor(0.8 * sorted.length)]!;
  const core = members.filter((at) => away[at]! >= inner);
  const pixels = size * size;
  const middle = (c: number) => {
    const values = core.map((at) => image[at + c * pixels]!).sort((a, b) => a - b);
    return values[values.length >> 1]!;
  };
  const centre = Math.floor(y) * size + Math.floor(x);
  return {
    members,
    x,
    y,
    colour: [middle(0), middle(1), middle(2)],
    below: [ground[centre]!, ground[centre + pixels]!, ground[centre + 2 * pixels]!],
  };
}
