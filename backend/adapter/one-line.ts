/** Values in one line, as a list of variables has them. */
import type { Statistics, TensorLine } from '../protocol/debug-requests.ts';

/** Seven digits tell every float32 that a person would tell apart; NaN and infinities as programs write them. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Inf' : '-Inf';
  return String(Number(value.toPrecision(7)));
}

const short = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : numberText(value));

export const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;

export function statisticsText({
  min,
  mean,
  max,
  std,
  nan,
  positiveInfinity,
  negativeInfinity,
  zero,
}: Statistics): string {
  const numbers = `min ${short(min)} mean ${short(mean)} max ${short(max)} std ${short(std)}`;
  return `${numbers} NaN ${nan} +Inf ${positiveInfinity} -Inf ${negativeInfinity} zero ${zero}`;
}

/** `[2, 3, 8, 8] float32 min -1 mean 0.02 max 1 std 0.4 NaN 0 +Inf 0 -Inf 0 zero 3`. */
export function tensorText({ shape, type, statistics }: Pick<TensorLine, 'shape' | 'type' | 'statistics'>): string {
  const head = `${shapeText(shape)} ${type}`;
  return statistics ? `${head} ${statisticsText(statistics)}` : head;
}
