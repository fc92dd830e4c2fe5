/**
 * A program whose batch is computed in equal parts, side by side or one after the other, by one session that knows a part's graph, in
 * memory of the host. From outside it is the program of the whole batch.
 */
import {
  checkedFeed,
  type Declared,
  type DeviceTensor,
  type Feed,
  isDeviceTensor,
  type Program,
  type RunOptions,
} from '../../engine.ts';
import { isDivided, meanInto, putSpans, spansOf, takeSpans } from '../../sharing.ts';
import { type AddressOf, type Memory, type Pool, takeFrom } from './memory.ts';
import type { CApiProgram, Turns } from './program.ts';
import { HostTensor } from './tensor.ts';

interface SharedParts {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  /** As `Sharing` has them. */
  readonly rows: readonly number[];
  /** How many parts, and how many of them run at once. */
  readonly of: number;
  readonly atOnce: number;
  readonly address: AddressOf;
}

export class SharedProgram implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly #engine: Turns;
  readonly #part: CApiProgram;
  readonly #parts: SharedParts;
  /** Memory that nobody else could put an output together in is let go of. */
  readonly #leavePool: () => void;

  constructor(engine: Turns, part: CApiProgram, parts: SharedParts) {
    this.#engine = engine;
    this.#part = part;
    this.#parts = parts;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.#leavePool = engine.place.pools.outputs.expect(this.outputs.values());
  }

  async run(feeds: Readonly<Record<string, Feed>>, options: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    this.#part.refuseDisposed();
    return this.#engine.inTurn(async () => {
      const results = await this.#runAll(feeds, options);
      return Object.fromEntries(
        Array.from(this.outputs, ([name, output]) => [
          name,
          this.#joined(
            name,
            output,
            results.map((each) => each[name] as HostTensor),
          ),
        ]),
      );
    });
  }

  /** What each part gave. */
  async #runAll(feeds: Readonly<Record<string, Feed>>, options: RunOptions): Promise<Record<string, DeviceTensor>[]> {
    const { of, atOnce } = this.#parts;
    const results: Record<string, DeviceTensor>[] = [];
    for (let first = 0; first < of; first += atOnce) {
      const runs = Array.from({ length: Math.min(atOnce, of - first) }, (_, k) =>
        this.#part.runNow(this.#feedsOf(first + k, feeds), options),
      );
      // All are waited for: a run reads what its caller may change afterwards.
      const settled = await Promise.allSettled(runs);
      for (const each of settled) if (each.status === 'fulfilled') results.push(each.value);
      const failed = settled.find((each) => each.status === 'rejected');
      if (!failed) continue;
      for (const tensor of results.flatMap((each) => Object.values(each))) tensor.dispose();
      throw failed.reason;
    }
    return results;
  }

  #feedsOf(k: number, feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
    const { name: program, rows, of } = this.#parts;
    const both = { whole: this.inputs, part: this.#part.inputs };
    return Object.fromEntries(
      Array.from(this.inputs, ([name, input]) => {
        const feed = checkedFeed(program, name, input, feeds[name]);
        if (!isDivided(name, both)) return [name, feed];
        const numbers = isDeviceTensor(feed) ? numbersOf(program, name, feed) : feed.data;
        const data = takeSpans(numbers, spansOf(input.shape, rows, k, of));
        return [name, { shape: this.#part.inputs.get(name)!.shape, data }];
      }),
    );
  }

  /** Takes the parts over. */
  #joined(name: string, { shape, type }: Declared, parts: readonly HostTensor[]): DeviceTensor {
    const numbers = parts.map((part) => part.inBlocks(0).numbers as Float32Array);
    const [first, ...others] = parts;
    if (!isDivided(name, { whole: this.outputs, part: this.#part.outputs })) {
      meanInto(numbers as [Float32Array, ...Float32Array[]]);
      for (const other of others) other.dispose();
      return first!;
    }
    const { rows, of, address } = this.#parts;
    const whole = takeFrom(this.#engine.place.pools.outputs as Pool<Memory>, shape, type, address);
    for (const [k, part] of numbers.entries()) putSpans(part, spansOf(shape, rows, k, of), whole.numbers);
    for (const part of parts) part.dispose();
    return new HostTensor(shape, whole, address);
  }

  async dispose(): Promise<void> {
    await this.#part.dispose();
    this.#leavePool();
  }
}

function numbersOf(program: string, name: string, feed: DeviceTensor): Float32Array {
  if (!(feed instanceof HostTensor)) throw new Error(`input '${name}' of '${program}' lives on another engine`);
  return feed.inBlocks(0).numbers as Float32Array;
}
