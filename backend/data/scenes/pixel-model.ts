/**
 * The colours of a scene by least squares: pixel = ground + coverage * (shape colour - ground), where the ground is linear
 * in x and y. `firstGuess` starts from nothing, `explain` from a known coverage.
 */
import type { Blob } from './pose-fit.ts';
import type { Colour } from './scene.ts';
import type { Pose } from './shapes.ts';
import { leastSquares } from './small-solve.ts';

/** A shape below this many pixels is none. */
const LEAST_AREA = 25;

interface Guess {
  /** How much of each pixel is shape, clipped to [0, 1]. */
  readonly map: Float32Array;
  readonly blob: Blob;
}

/** Separates shape and ground; a string says why that cannot be done. */
export function firstGuess(image: Float32Array, size: number, contrast: number): Guess | string {
  const pixels = size * size;
  const ground = groundOfFrame(image, size);
  if (ground === undefined) return 'the frame is not a smooth ground';
  const away = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    away[i] = Math.hypot(
      image[i]! - ground[i]!,
      image[i + pixels]! - ground[i + pixels]!,
      image[i + 2 * pixels]! - ground[i + 2 * pixels]!,
    );
  }
  const strong = away.slice().sort()[Math.floor(0.97 * pixels)]!;
  if (strong < contrast) return 'nothing stands out from the ground';
  const colour = [0, 1, 2].map((c) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < pixels; i++) {
      if (away[i]! < 0.75 * strong) continue;
      sum += image[i + c * pixels]!;
      count++;
    }
    return sum / count;
  });
  const map = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    let along = 0;
    let length = 0;
    for (let c = 0; c < 3; c++) {
      const below = ground[i + c * pixels]!;
      const step = colour[c]! - below;
      along += step * (image[i + c * pixels]! - below);
      length += step * step;
    }
    map[i] = Math.min(1, Math.max(0, along / Math.max(length, 1e-6)));
  }
  const blob = measure(map, size);
  return blob.area < LEAST_AREA ? 'nothing stands out from the ground' : { map, blob };
}

/** Noise far from the shape would pull at the centre: only what is at least half shape counts. */
function measure(map: Float32Array, size: number): Blob {
  let area = 0;
  let x = 0;
  let y = 0;
  for (const [i, value] of map.entries()) {
    if (value < 0.5) continue;
    area++;
    x += (i % size) + 0.5;
    y += Math.floor(i / size) + 0.5;
  }
  return { area, x: x / area, y: y / area };
}

/** The linear ground through the outermost pixels, for the whole image; outliers (a shape at the edge) dropped once. */
export function groundOfFrame(image: Float32Array, size: number): Float32Array | undefined {
  const pixels = size * size;
  let frame: number[] = [];
  for (let i = 0; i < pixels; i++) {
    const x = i % size;
    const y = Math.floor(i / size);
    if (x === 0 || y === 0 || x === size - 1 || y === size - 1) frame.push(i);
  }
  for (let round = 0; ; round++) {
    const basis = [frame.map(() => 1), frame.map((i) => i % size), frame.map((i) => Math.floor(i / size))];
    const targets = [0, 1, 2].map((c) => frame.map((i) => image[i + c * pixels]!));
    const found = leastSquares(basis, targets);
    if (found === undefined) return undefined;
    const at = (c: number, i: number) => found[c]! + found[3 + c]! * (i % size) + found[6 + c]! * Math.floor(i / size);
    if (round === 2) return Float32Array.from({ length: 3 * pixels }, (_, j) => at(Math.floor(j / pixels), j % pixels));
    const gaps = frame.map((i) => Math.hypot(...[0, 1, 2].map((c) => image[i + c * pixels]! - at(c, i))));
    const typical = gaps.slice().sort((a, b) => a - b)[gaps.length >> 1]!;
    frame = frame.filter((_, k) => gaps[k]! <= 3 * typical + 0.02);
  }
}

/** Standard deviation by the median, so that a few plainly wrong pixels do not count as noise. */
export function noiseOf(left: Float32Array): number {
  const sorted = left.map(Math.abs).sort();
  return 1.4826 * sorted[sorted.length >> 1]!;
}

export interface Explanation {
  readonly shapeColour: Colour;
  /** Below the shape's centre. */
  readonly groundColour: Colour;
  /** Over all numbers of the image. */
  readonly squaredError: number;
  /** What is left unexplained: 3 * size * size numbers. */
  readonly left: Float32Array;
}

/** The colours that explain the image best when the shape covers `cover`. */
export function explain(image: Float32Array, cover: Float32Array, size: number, { x, y }: Pose): Explanation {
  const pixels = size * size;
  const rest = cover.map((value) => 1 - value);
  const basis = [cover, rest, rest.map((r, i) => r * (i % size)), rest.map((r, i) => r * Math.floor(i / size))];
  const targets = [0, 1, 2].map((c) => image.subarray(c * pixels, (c + 1) * pixels));
  const found = leastSquares(basis, targets);
  const left = new Float32Array(3 * pixels);
  if (found === undefined) {
    return { shapeColour: [0, 0, 0], groundColour: [0, 0, 0], squaredError: Number.POSITIVE_INFINITY, left };
  }
  let squaredError = 0;
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < pixels; i++) {
      let value = targets[c]![i]!;
      for (let k = 0; k < 4; k++) value -= found[3 * k + c]! * basis[k]![i]!;
      squaredError += value * value;
      left[i + c * pixels] = value;
    }
  }
  const below = (c: number) => found[3 + c]! + found[6 + c]! * (x - 0.5) + found[9 + c]! * (y - 0.5);
  return {
    shapeColour: [found[0]!, found[1]!, found[2]!],
    groundColour: [below(0), below(1), below(2)],
    squaredError,
    left,
  };
}
