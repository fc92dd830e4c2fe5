/** Shape arithmetic shared by the operations: broadcasting and reduction as NumPy defines them. */
import type { Shape } from './graph.ts';

/** The shape two shapes broadcast to. Throws when a pair of trailing dimensions differs and neither is 1. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let i = 0; i < rank; i++) {
    const da = a[a.length - rank + i] ?? 1;
    const db = b[b.length - rank + i] ?? 1;
    if (da !== db && da !== 1 && db !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    result.push(da === 1 ? db : da);
  }
  return result;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Axes as sorted non-negative numbers; negative axes count from the end. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const result = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((x, y) => x - y);
  result.forEach((axis, i) => {
    if (axis < 0 || axis >= rank) throw new Error(`axis ${axes[i]} is outside rank ${rank}`);
    if (i > 0 && result[i - 1] === axis) throw new Error(`axis ${axis} is given twice`);
  });
  return result;
}

/** The shape left after reducing `axes` (already normalised). */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  return shape.flatMap((dim, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [dim]));
}
