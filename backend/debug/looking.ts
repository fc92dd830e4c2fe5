/** What a person looks at: tensors in one line, and below that in pages; numbers, settings, values of expressions. */
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { NumberLine, Statistics, TensorLine, Value } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import type { FieldTensor } from '../protocol/rpc/runs.ts';
import type { Debugger } from './debugger.ts';
import { isTensor, mostNumbers } from './expression/array.ts';
import { evaluate } from './expression/evaluate.ts';
import type { Expression } from './expression/parse.ts';
import { type HeldTensor, HeldTensors } from './held.ts';
import type { DebugHost } from './host.ts';
import { dotted } from './names.ts';
import { statisticsOf } from './statistics.ts';
import { shownLine, shownNumber } from './words.ts';

export interface Child {
  readonly index: number;
  readonly shape: number[];
  readonly number: number | null;
  readonly statistics: Statistics | null;
}

/** Rows of more numbers on one page are told without statistics. */
const mostOnPage = 2 ** 24;

/** Every tensor of the stop, or those named. Throws UserError('cancelled') */
export async function tensorLines(
  held: HeldTensors,
  names: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TensorLine[]> {
  const lines: TensorLine[] = [];
  for (const name of names ?? held.names) {
    signal.throwIfAborted();
    lines.push(await held.get(name).line(false, signal));
  }
  return lines;
}

/** The numbers [from, to) that lie below a path, and their shape. Throws UserError('usage') for a path that is none. */
export function below(tensor: HeldTensor, path: readonly number[]): { from: number; to: number; shape: number[] } {
  const { shape } = tensor;
  let from = 0;
  path.forEach((index, axis) => {
    const length = shape[axis];
    if (length === undefined)
      throw new UserError('usage', `${tensor.name} has ${shape.length} axes, not ${path.length}`);
    if (index >= length) {
      throw new UserError('usage', `there is no ${index} along axis ${axis} of ${tensor.name}, which has ${length}`);
    }
    from += index * sizeOf(shape.slice(axis + 1));
  });
  const rest = shape.slice(path.length);
  return { from, to: from + sizeOf(rest), shape: [...rest] };
}

export async function children(
  tensor: HeldTensor,
  path: readonly number[],
  start: number,
  count: number,
): Promise<Child[]> {
  const { from, shape } = below(tensor, path);
  const [length = 0, ...inner] = shape;
  const each = sizeOf(inner);
  const end = Math.min(length, start + count);
  if (start >= end) return [];
  const counted = (end - start) * each <= mostOnPage;
  const numbers = counted ? await tensor.part(from + start * each, from + end * each) : null;
  return Array.from({ length: end - start }, (_, i): Child => {
    const own = numbers?.subarray(i * each, (i + 1) * each);
    const single = inner.length === 0;
    const statistics = own && !single ? statisticsOf(own) : null;
    return { index: start + i, shape: inner, number: own && single ? own[0]! : null, statistics };
  });
}

/** Throws UserError('usage') where it is more than a message carries. */
export async function wholeTensor(tensor: HeldTensor, path: readonly number[]): Promise<FieldTensor> {
  const { from, to, shape } = below(tensor, path);
  if (to - from > mostNumbers) {
    const message = `${tensor.name}: ${to - from} numbers are more than the ${mostNumbers} sent at once`;
    throw new UserError('usage', message, 'Ask for a part of it.');
  }
  return { name: tensor.name, shape, data: await tensor.part(from, to) };
}

/** Bytes of float32, little-endian. */
export async function bytesOf(tensor: HeldTensor, offset: number, count: number): Promise<Uint8Array> {
  const end = Math.min(offset + count, 4 * tensor.size);
  if (offset >= end) return new Uint8Array();
  const first = Math.floor(offset / 4);
  const numbers = await tensor.part(first, Math.ceil(end / 4));
  return new Uint8Array(numbers.buffer).slice(offset - 4 * first, end - 4 * first);
}

export class Looking {
  readonly #debugger: Debugger;
  readonly #host: DebugHost;

  constructor(host: DebugHost, debug: Debugger) {
    this.#host = host;
    this.#debugger = debug;
  }

  /** Throws UserError('usage') with the place in the text. */
  async value(expression: Expression): Promise<Value> {
    const held = this.#debugger.stopNow?.held ?? new HeldTensors(null);
    const named = expression.kind === 'name' ? held.find(expression.words.join('.')) : undefined;
    const names = this.#debugger.names();
    // A setting has its name first.
    if (named && expression.kind === 'name' && typeof names.find(expression.words.join('.')) !== 'number') {
      return this.#shown(named);
    }
    const word = expression.kind === 'name' ? this.#word(expression.words.join('.')) : undefined;
    if (word !== undefined) return { text: word, number: null, tensor: null };
    const computed = await evaluate(expression, names);
    if (!isTensor(computed)) return { text: shownNumber(computed), number: computed, tensor: null };
    return this.#shown(held.keep(own(computed)));
  }

  numbers(): { numbers: NumberLine[]; settings: NumberLine[] } {
    const { trainer } = this.#host;
    const { adjustable } = trainer;
    const measured = this.#debugger.measuredNow();
    const step = this.#debugger.stopNow?.place.step ?? trainer.step + 1;
    const natural = Object.entries(adjustable?.natural(step) ?? {});
    return {
      numbers: Object.entries(measured?.numbers ?? {})
        .map(([tag, value]) => ({
          ...{ name: dotted(tag), value, overridden: null, writable: false, step: measured!.step },
        }))
        .filter((line) => !natural.some(([name]) => name === line.name)),
      settings: natural.map(([name, value]) => {
        const override = adjustable!.overrides.get(name);
        const overridden = override === undefined ? null : value;
        const words = adjustable!.words?.[name];
        const line = { name, value: override ?? value, overridden, writable: true, step };
        return words ? { ...line, words: [...words] } : line;
      }),
    };
  }

  /** Of a setting whose values are words. */
  #word(name: string): string | undefined {
    const { settings } = this.numbers();
    const { words, value } = settings.find((line) => line.name === name) ?? {};
    return words?.[value ?? -1];
  }

  async #shown(tensor: HeldTensor): Promise<Value> {
    const line = await tensor.line(false);
    return { text: shownLine(line), number: null, tensor: line };
  }
}

/** A slice may be the whole, and the tensor's own memory. */
const own = ({ shape, data }: TensorData): TensorData => ({ shape, data: data.slice() });
