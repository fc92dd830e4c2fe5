/** Asks the program for what is looked at: what the value is, then the slice that is seen, or those of two values. */
import { readArray, type ValueState } from '../../backend/protocol/panels/value.ts';
import { guessAxes, type Seen, seenBy } from '../../backend/protocol/values/axes.ts';
import { type ArrayValue, mostShown } from '../../backend/protocol/values/value.ts';
import type { Picture } from '../shared/heatmaps/picture.ts';
import type { Host } from '../shared/host.ts';
import { minus, pictureOf } from './picture-of.ts';

export interface Reading {
  /** With statistics of the whole. */
  readonly value: ArrayValue;
  readonly other: ArrayValue | null;
  readonly seen: Seen;
  /** Of the value, or value minus other. */
  readonly picture: Picture;
}

/** Two values of different shapes. */
export class ShapesDiffer extends Error {
  readonly shapes: readonly (readonly number[])[];

  constructor(shapes: readonly (readonly number[])[]) {
    super('the shapes differ');
    this.shapes = shapes;
  }
}

/**
 * @param counted the values with their statistics, when the program has not moved since they were read
 * Rejects with a HostError of the host's words, or ShapesDiffer.
 */
export async function read(
  host: Host,
  { expression, minus: taken, shape, roles, at }: ValueState,
  counted: Pick<Reading, 'value' | 'other'> | null,
  signal: AbortSignal,
): Promise<Reading> {
  const describe = (text: string) =>
    host.request(readArray, { expression: text, shape, count: true, cut: null }, signal);
  const value = counted?.value ?? (await describe(expression));
  const other = taken.trim() === '' ? null : (counted?.other ?? (await describe(taken)));
  if (other && String(other.shape) !== String(value.shape)) throw new ShapesDiffer([value.shape, other.shape]);
  const fitting = roles?.length === value.shape.length ? roles : guessAxes(value.shape);
  const seen = seenBy(value.shape, fitting, at, mostShown);
  const fetch = async (text: string) => {
    const { numbers } = await host.request(readArray, { expression: text, shape, count: false, cut: seen.cut }, signal);
    if (!numbers) throw new Error('no numbers came');
    return numbers;
  };
  const numbers = await fetch(expression);
  const shown = other ? minus(numbers, await fetch(taken)) : numbers;
  return { value, other, seen, picture: pictureOf(shown, seen) };
}
