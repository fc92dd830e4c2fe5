/** The request `dmdReadValue` (protocol/values/dmd-request.ts): an array of a stop, or a cut of it, for the panel of values. */
import { debugRequests, type Statistics } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import { type ReadValueBody, readValueArguments, readValueCommand } from '../protocol/values/dmd-request.ts';
import type { Cut } from '../protocol/values/value.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

export function readValueHandlers(target: Target): Handlers {
  return checked(readValueCommand, readValueArguments, async ({ expression, shape, count, cut }, { signal }) => {
    const { debuggee, client } = target;
    void target.stop;
    return client.progress.during(`Reading ${expression}`, signal, async (both): Promise<ReadValueBody> => {
      const value = await debuggee.ask(debugRequests['debug/evaluate'], { expression, assigns: false }, both);
      const about = { device: debuggee.link.greeting.opened.device };
      if (!value.tensor) {
        const numbers = cut && base64(Float32Array.of(value.number ?? Number.NaN));
        return { ...about, shape: [], dtype: 'float64', statistics: null, numbers };
      }
      const { name: tensor, type: dtype } = value.tensor;
      const own = value.tensor.shape;
      const seen = shape ?? own;
      if (sizeOf(seen) !== sizeOf(own)) {
        throw new UserError('usage', `${expression} has ${sizeOf(own)} numbers, not the ${sizeOf(seen)} of [${seen}]`);
      }
      if (cut && !fits(cut, seen)) throw new UserError('usage', `[${seen}] has no such cut`);
      const statistics = count
        ? (value.tensor.statistics ??
          (await debuggee.ask(debugRequests['debug/statistics'], { tensor, path: [] }, both)))
        : null;
      const numbers = cut && base64(await cutOf(target, { tensor, reshaped: shape !== null, shape: seen, cut }, both));
      return { ...about, shape: [...seen], dtype, statistics: statistics && counted(statistics, sizeOf(own)), numbers };
    });
  });
}

interface Cutting {
  readonly tensor: string;
  /** Whether the shape is another than the tensor's own. */
  readonly reshaped: boolean;
  readonly shape: readonly number[];
  readonly cut: Cut;
}

/** What the cut shows, in its order; of the tensor only what lies below the indices on its first axes is read. */
async function cutOf(target: Target, { tensor, reshaped, shape, cut }: Cutting, signal: AbortSignal) {
  const path: number[] = [];
  if (!reshaped) for (let axis = 0; typeof cut.at[axis] === 'number'; axis++) path.push(cut.at[axis]!);
  const read = await target.debuggee.ask(debugRequests['debug/tensor'], { tensor, path }, signal);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const first = cut.at.reduce<number>((sum, at, i) => sum + (i < path.length ? 0 : (at ?? 0) * strides[i]!), 0);
  const lengths = cut.order.map((axis) => Math.ceil(shape[axis]! / cut.step[axis]!));
  const steps = cut.order.map((axis) => strides[axis]! * cut.step[axis]!);
  const numbers = new Float32Array(sizeOf(lengths));
  for (let i = 0; i < numbers.length; i++) {
    let [from, rest] = [first, i];
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      from += (rest % lengths[axis]!) * steps[axis]!;
      rest = Math.floor(rest / lengths[axis]!);
    }
    numbers[i] = read.tensor.data[from]!;
  }
  return numbers;
}

/** Each axis is either seen whole or held at an index that it has. */
function fits({ at, step, order }: Cut, shape: readonly number[]): boolean {
  const whole = shape.flatMap((_, axis) => (at[axis] === null ? [axis] : []));
  return (
    at.length === shape.length &&
    step.length === shape.length &&
    shape.every((length, axis) => (at[axis] ?? 0) < length || at[axis] === null) &&
    [...order].sort().join() === whole.join()
  );
}

/** In the order of `statisticNames`. */
function counted(of: Statistics, size: number): string {
  const { min, mean, max, std, nan, positiveInfinity, negativeInfinity, zero } = of;
  return base64(Float64Array.of(size, min, mean, max, std, nan, positiveInfinity, negativeInfinity, zero));
}

const sizeOf = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');
