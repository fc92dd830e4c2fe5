/**
 * Fits the shape classes to a map of how much of each pixel "is shape": where, how large and how turned each lies best.
 */
import { coverage, type Pose, type Shape, shapes } from './shapes.ts';
import { dot, solveSymmetric } from './small-solve.ts';

/** Rotations tried for a full turn before refining; a shape with a shorter period needs fewer. */
const STARTS_PER_TURN = 16;
const LEAST_STARTS = 4;
const STEPS = 10;
/** An error in pixels below which no fit need be better. */
const ENOUGH = 0.05;

/** One class's pose, and what the fit minimises: the sum of squared differences over the pixels. */
export interface PoseFit {
  /** Class id. */
  readonly id: number;
  readonly pose: Pose;
  readonly error: number;
}

/** Centre and area of a map, in pixels. */
export interface Blob {
  readonly x: number;
  readonly y: number;
  readonly area: number;
}

/**
 * The best poses of the `keep` likeliest classes for `target` (size * size coverages). Centre and size start as the
 * blob's, the rotation from several angles; the best `tries` starts of a class are refined (Levenberg-Marquardt).
 */
export function fitPoses(target: Float32Array, size: number, blob: Blob, keep: number, tries = 2): PoseFit[] {
  const byError = (a: PoseFit, b: PoseFit) => a.error - b.error;
  const starts = shapes.map((shape, id) => startPoses(shape, blob).map((pose) => measured(id, pose, target, size)));
  for (const of of starts) of.sort(byError);
  starts.sort((a, b) => byError(a[0]!, b[0]!));
  return starts.slice(0, keep).map((of) => {
    const refined = of.slice(0, tries).map((start) => refine(start, target, size));
    return refined.sort(byError)[0]!;
  });
}

function startPoses({ area, period }: Shape, blob: Blob): Pose[] {
  const count = period === 0 ? 1 : Math.max(LEAST_STARTS, Math.round((STARTS_PER_TURN * period) / (2 * Math.PI)));
  const reach = Math.sqrt(blob.area / area);
  return Array.from({ length: count }, (_, i) => ({ x: blob.x, y: blob.y, reach, rotation: (i * period) / count }));
}

function measured(id: number, pose: Pose, target: Float32Array, size: number): PoseFit {
  const cover = coverage(shapes[id]!, pose, size, scratch(size, 0));
  let error = 0;
  for (let i = 0; i < cover.length; i++) error += (cover[i]! - target[i]!) ** 2;
  return { id, pose, error };
}

const KEYS = ['x', 'y', 'reach', 'rotation'] as const;

function refine(start: PoseFit, target: Float32Array, size: number): PoseFit {
  const shape = shapes[start.id]!;
  const keys = shape.period === 0 ? KEYS.slice(0, 3) : KEYS;
  const n = keys.length;
  let best = start;
  let damping = 0.01;
  for (let step = 0; step < STEPS; step++) {
    const { pose } = best;
    const centre = coverage(shape, pose, size, scratch(size, 0));
    const slopes = keys.map((key, k) => {
      // About a tenth of a pixel at the outline: the coverage is piecewise linear there.
      const nudge = key === 'rotation' ? 0.1 / pose.reach : 0.1;
      const moved = coverage(shape, { ...pose, [key]: pose[key] + nudge }, size, scratch(size, k + 1));
      for (let i = 0; i < moved.length; i++) moved[i] = (moved[i]! - centre[i]!) / nudge;
      return moved;
    });
    const normal = new Float64Array(n * n);
    const right = new Float64Array(n);
    for (let k = 0; k < n; k++) {
      const slope = slopes[k]!;
      for (let i = 0; i < slope.length; i++) right[k]! += slope[i]! * (target[i]! - centre[i]!);
      for (let l = 0; l <= k; l++) normal[k * n + l] = dot(slope, slopes[l]!);
    }
    let improved = false;
    for (let tries = 0; tries < 3 && !improved; tries++) {
      const damped = normal.map((value, i) => (i % (n + 1) === 0 ? value * (1 + damping) + 1e-9 : value));
      const move = right.slice();
      if (!solveSymmetric(damped, move, n)) return best;
      const next = { ...pose };
      for (const [k, key] of keys.entries()) next[key] += move[k]!;
      next.reach = Math.min(size, Math.max(2, next.reach));
      const moved = measured(start.id, next, target, size);
      improved = moved.error < best.error;
      if (!improved) damping *= 8;
      else {
        const gain = best.error - moved.error;
        best = moved;
        damping /= 4;
        if (gain < 0.01 * best.error || best.error < ENOUGH) return best;
      }
    }
    if (!improved) return best;
  }
  return best;
}

const buffers: Float32Array[] = [];

/** Reused planes: a fit draws thousands of coverages. */
function scratch(size: number, index: number): Float32Array {
  if (buffers[index]?.length !== size * size) buffers[index] = new Float32Array(size * size);
  return buffers[index]!;
}
