/** How close a trajectory must come: per-iteration scalars, all final weights, and the rows that rounding alone moves. */
import { z } from 'zod';
import { type Case, limitFromRounding, limitOf } from './case.ts';
import { type Comparison, compare, compareScalar, type Limit, missing, type NumberArray } from './compare.ts';
import type { IterationScalars, TrajectoryConfig } from './trajectory-config.ts';

const recordSchema = z.looseObject({
  iterations: z.array(z.record(z.string(), z.unknown())),
  scalar_tolerances: z.record(z.string(), z.number().nonnegative()),
  ill_conditioned: z
    .looseObject({
      parameters: z.array(z.string()).default([]),
      suggested_absolute_tolerance_final_gen: z.number().nonnegative().optional(),
    })
    .prefault({}),
});

export function compareTrajectory(
  theCase: Case,
  config: TrajectoryConfig,
  arrays: ReadonlyMap<string, NumberArray>,
  iterations: readonly IterationScalars[],
): { limits: Map<string, Limit>; further: Comparison[] } {
  const record = theCase.part(recordSchema, theCase.json, 'the file');
  const further: Comparison[] = [];
  record.iterations.forEach((expected, i) => {
    for (const [name, tolerance] of Object.entries(record.scalar_tolerances)) {
      const value = expected[name];
      if (typeof value !== 'number') continue;
      const label = `iteration ${i + 1}: ${name}`;
      const actual = iterations[i]?.[name];
      const limit = { relative: tolerance };
      further.push(actual === undefined ? missing(label, limit) : compareScalar(label, actual, value, limit));
    }
  });

  const { parameters, suggested_absolute_tolerance_final_gen: finalAbsolute } = record.ill_conditioned;
  const limits = new Map<string, Limit>();
  for (const { name, array, spec } of theCase.expected) {
    if (spec.tolerance === undefined) limits.set(name, statedOtherwise(array, spec.max_abs_f32_vs_f64, finalAbsolute));
    const [prefix, parameter] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
    const actual = arrays.get(name);
    if (!actual || !parameters.includes(parameter) || prefix.startsWith('grad')) continue;
    const steps = prefix.startsWith('final')
      ? config.iterations
      : Number(/\d+$/.exec(prefix)?.[0] ?? config.iterations);
    further.push(compareKeyRows(name, actual, array, limits.get(name) ?? limitOf(spec), steps * config.optimizer.lr));
  }
  return { limits, further };
}

/** Final weights: what the case suggests, or the rule behind all its tolerances. */
function statedOtherwise(array: NumberArray, rounding: number | undefined, suggested: number | undefined): Limit {
  if (suggested !== undefined) return { absolute: suggested };
  return limitFromRounding(rounding ?? 0, Math.max(...Array.from(array.data, Math.abs)));
}

/**
 * The key rows of qkv.bias (every third, the second of each) have no true gradient: softmax does not see them. AdamW turns
 * rounding noise there into steps of about the learning rate, so they may be apart by twice the way walked; the others
 * are compared as usual.
 */
function compareKeyRows(
  name: string,
  actual: NumberArray,
  expected: NumberArray,
  limit: Limit,
  walked: number,
): Comparison {
  const part = ({ shape, data }: NumberArray, keys: boolean): NumberArray => {
    const rest = Array.from(data).filter((_, i) => (i % 3 === 1) === keys);
    return shape.length === 1 ? { shape: [rest.length], data: rest } : { shape, data };
  };
  const keys = compare(name, part(actual, true), part(expected, true), { absolute: 2 * walked });
  const others = compare(name, part(actual, false), part(expected, false), limit);
  const note = `key rows: ${keys.absolute?.toExponential(1)} of ${2 * walked} allowed, they have no true gradient`;
  return { ...others, ok: others.ok && keys.ok, note: [others.note, note].filter(Boolean).join('; ') };
}
