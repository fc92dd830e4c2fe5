/** Values that change over a run, piecewise linear. */
import { z } from './zod.ts';

/** [iteration, value], iterations strictly ascending. */
export type SchedulePoints = readonly (readonly [number, number])[];

export function schedulePoints(value: z.ZodNumber) {
  return z
    .array(z.tuple([z.int().min(0), value]))
    .min(1)
    .superRefine((points, context) => {
      points.forEach(([iteration], i) => {
        if (i > 0 && iteration <= points[i - 1]![0]) {
          context.addIssue({ code: 'custom', path: [i, 0], message: 'iterations must ascend' });
        }
      });
    })
    .optional();
}

/**
 * The value at an iteration (1 for the first): linear between two points, the first value before the first point and
 * the last after the last one. Without points it is `constant`.
 */
export function scheduleValue(points: SchedulePoints | undefined, iteration: number, constant: number): number {
  if (!points || points.length === 0) return constant;
  const next = points.findIndex(([at]) => at > iteration);
  if (next === 0) return points[0]![1];
  if (next < 0) return points.at(-1)![1];
  const [from, low] = points[next - 1]!;
  const [to, high] = points[next]!;
  return low + ((high - low) * (iteration - from)) / (to - from);
}
