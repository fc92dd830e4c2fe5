/** Values as people read them. */
import type { TensorLine } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import { isTensor } from './expression/array.ts';
import { evaluate, type Names } from './expression/evaluate.ts';
import type { Expression } from './expression/parse.ts';
import { statisticsOf } from './statistics.ts';

/** Seven digits: what float32 holds. */
export const shownNumber = (value: number) => String(Number.isFinite(value) ? Number(value.toPrecision(7)) : value);

/** A tensor in one line. */
export function shownLine({ shape, statistics }: Pick<TensorLine, 'shape' | 'statistics'>): string {
  if (!statistics) return `[${shape.join(', ')}]`;
  const { min, mean, max, std, nan, positiveInfinity, negativeInfinity, zero } = statistics;
  const odd = [
    [nan, 'NaN'],
    [positiveInfinity, '+Inf'],
    [negativeInfinity, '-Inf'],
    [zero, 'zero'],
  ] as const;
  const counts = odd.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  const short = (value: number) => String(Number.isFinite(value) ? Number(value.toPrecision(4)) : value);
  const numbers = `min ${short(min)}, mean ${short(mean)}, max ${short(max)}, std ${short(std)}`;
  return [`[${shape.join(', ')}] ${numbers}`, ...counts].join(', ');
}

/** What an expression comes to, in words; what is wrong with it where it cannot be computed. */
export async function textOf(expression: Expression, names: Names): Promise<string> {
  try {
    const value = await evaluate(expression, names);
    if (!isTensor(value)) return shownNumber(value);
    return shownLine({ shape: [...value.shape], statistics: statisticsOf(value.data) });
  } catch (error) {
    if (error instanceof UserError) return `{${error.message}}`;
    throw error;
  }
}
