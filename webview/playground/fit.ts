/**
 * Modes fitted to what a person drew. The points of the stroke, evenly spaced along it, are ink of a brush: each a Gaussian as wide as the
 * brush. Expectation maximization fits equally likely isotropic Gaussians to that ink: the fewest that describe it as well as many do. A
 * line so becomes a band hardly wider than the brush, without gaps; what is scribbled full becomes fewer and wider modes.
 */
import { type Point, rounded } from './targets.ts';

export interface FittedModes {
  readonly modes: [number, number][];
  /** Never below the brush. */
  readonly stds: number[];
}

const mostPoints = 250;
const rounds = 20;
/** Of one stroke. */
const mostOfStroke = 32;
/** As well: to this many nats of log-likelihood per point of ink. */
const asWell = 0.02;

interface Modes {
  /** Flat [K, 2]. */
  readonly centres: Float64Array;
  readonly variances: Float64Array;
}

/** @param stroke its corners in order, at least one. @param brush standard deviation. @param most modes */
export function fitStroke(stroke: readonly Point[], brush: number, most: number): FittedModes {
  const points = evenly(stroke, brush / 4);
  const fits = Array.from({ length: Math.min(most, mostOfStroke, points.length) }, (_, i) => {
    const modes = maximized(points, startOf(points, i + 1, brush), brush);
    return { modes, likelihood: logLikelihood(points, modes, brush) / points.length };
  });
  const best = Math.max(...fits.map(({ likelihood }) => likelihood));
  const { centres, variances } = fits.find(({ likelihood }) => likelihood >= best - asWell)!.modes;
  return {
    modes: Array.from(variances, (_, k) => [rounded(centres[2 * k]!), rounded(centres[2 * k + 1]!)]),
    stds: Array.from(variances, (variance) => Math.max(brush, rounded(Math.sqrt(variance)))),
  };
}

/** Points along a stroke, `spacing` apart, or further where that were too many. */
function evenly(stroke: readonly Point[], spacing: number): Point[] {
  const lengths = stroke.slice(1).map(([x, y], i) => Math.hypot(x - stroke[i]![0], y - stroke[i]![1]));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  const count = Math.min(mostPoints, 1 + Math.floor(whole / spacing));
  if (count < 2) return [stroke[0]!];
  const points: Point[] = [];
  let [piece, before] = [0, 0];
  for (let i = 0; i < count; i++) {
    const at = (whole * i) / (count - 1);
    while (piece < lengths.length - 1 && at > before + lengths[piece]!) before += lengths[piece++]!;
    const part = lengths[piece]! > 0 ? Math.min(1, (at - before) / lengths[piece]!) : 0;
    const [from, to] = [stroke[piece]!, stroke[piece + 1]!];
    points.push([from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]);
  }
  return points;
}

/** Spread along the stroke. */
function startOf(points: readonly Point[], count: number, brush: number): Modes {
  const chosen = Array.from({ length: count }, (_, k) => points[Math.floor(((k + 0.5) * points.length) / count)]!);
  const length = points.reduce((sum, [x, y], i) => {
    const [a, b] = points[i - 1] ?? [x, y];
    return sum + Math.hypot(x - a, y - b);
  }, 0);
  const variance = brush ** 2 + (length / count) ** 2 / 24;
  return { centres: Float64Array.from(chosen.flat()), variances: new Float64Array(count).fill(variance) };
}

function maximized(points: readonly Point[], start: Modes, brush: number): Modes {
  let modes = start;
  for (let round = 0; round < rounds; round++) modes = maximizedOnce(points, modes, brush);
  return modes;
}

/** Whose point is it, then where and how wide: the mean of x and of (|x - m|^2 + 2 brush^2) / 2 by responsibility. */
function maximizedOnce(points: readonly Point[], { centres, variances }: Modes, brush: number): Modes {
  const count = variances.length;
  const sums = { n: new Float64Array(count), centres: new Float64Array(2 * count), squares: new Float64Array(count) };
  for (const [x, y] of points) {
    const { shares } = responsibilities(x, y, { centres, variances }, brush);
    for (let k = 0; k < count; k++) {
      sums.n[k]! += shares[k]!;
      sums.centres[2 * k]! += shares[k]! * x;
      sums.centres[2 * k + 1]! += shares[k]! * y;
      sums.squares[k]! += shares[k]! * (x * x + y * y);
    }
  }
  const next = { centres: centres.slice(), variances: variances.slice() };
  for (let k = 0; k < count; k++) {
    const n = sums.n[k]!;
    if (n < 1e-9) continue;
    const [x, y] = [sums.centres[2 * k]! / n, sums.centres[2 * k + 1]! / n];
    next.centres.set([x, y], 2 * k);
    next.variances[k] = brush ** 2 + Math.max(0, sums.squares[k]! / n - x * x - y * y) / 2;
  }
  return next;
}

/** Of each mode for a point of ink, and the logarithm of its likelihood. */
function responsibilities(x: number, y: number, { centres, variances }: Modes, brush: number) {
  const count = variances.length;
  const shares = new Float64Array(count);
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) {
    const square = (centres[2 * k]! - x) ** 2 + (centres[2 * k + 1]! - y) ** 2;
    shares[k] = -(square + 2 * brush ** 2) / (2 * variances[k]!) - Math.log(2 * Math.PI * variances[k]! * count);
    most = Math.max(most, shares[k]!);
  }
  let sum = 0;
  for (let k = 0; k < count; k++) {
    shares[k] = Math.exp(shares[k]! - most);
    sum += shares[k]!;
  }
  for (let k = 0; k < count; k++) shares[k]! /= sum;
  return { shares, likelihood: most + Math.log(sum) };
}

function logLikelihood(points: readonly Point[], modes: Modes, brush: number): number {
  return points.reduce((sum, [x, y]) => sum + responsibilities(x, y, modes, brush).likelihood, 0);
}
