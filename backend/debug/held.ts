/** The tensors of a stop: read in parts, changed in place of each other, and gone when the run goes on. */
import { type DeviceTensor, type Feed, isDeviceTensor } from '../engine/engine.ts';
import { type NumberType, sizeOf, type TensorData } from '../graph/tensor-data.ts';
import type { TensorLine } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import type { Between } from '../training/iteration.ts';
import { allFinite, Summary } from './statistics.ts';

/** Numbers of a slice that is looked at at once. */
const sliceNumbers = 2 ** 22;
/** So many are brought to the host whole; more are read in slices. */
const mostWhole = 2 ** 26;
/** More are not counted unasked: a line of the debugger is to be there at once. */
export const mostUnasked = 2 ** 24;
const mostResults = 200;

/** Something that is held, wherever it lies. */
export class HeldTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly writable: boolean;
  readonly #value: Feed;
  #whole: Promise<Float32Array> | undefined;

  constructor(name: string, value: Feed, writable: boolean) {
    this.name = name;
    this.shape = value.shape;
    this.type = isDeviceTensor(value) ? value.type : 'float32';
    this.writable = writable;
    this.#value = value;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** All of its numbers, to be read only. Throws UserError('usage') where they are too many. */
  whole(): Promise<Float32Array> {
    if (this.size > mostWhole) {
      const message = `${this.name} has ${this.size} numbers, more than the ${mostWhole} that are read at once`;
      throw new UserError('usage', message, 'Look at a part of it in the Variables view.');
    }
    this.#whole ??= this.#reading(async () =>
      isDeviceTensor(this.#value) ? await this.#value.read() : this.#value.data,
    );
    return this.#whole;
  }

  /** Numbers [from, to), a copy. */
  async part(from: number, to: number): Promise<Float32Array> {
    if (this.size <= mostWhole) return (await this.whole()).slice(from, to);
    const out = new Float32Array(to - from);
    let at = 0;
    for await (const slice of this.#slices()) {
      const [start, end] = [Math.max(from, at), Math.min(to, at + slice.length)];
      if (end > start) out.set(slice.subarray(start - at, end - at), start - from);
      at += slice.length;
      if (at >= to) break;
    }
    return out;
  }

  /** Over numbers [from, to). Ends with UserError('cancelled') when the signal says so. */
  async summary(from = 0, to = this.size, signal?: AbortSignal): Promise<Summary> {
    const summary = new Summary();
    let at = 0;
    for await (const slice of this.#slices()) {
      if (signal?.aborted) throw new UserError('cancelled', 'cancelled');
      const [start, end] = [Math.max(from, at), Math.min(to, at + slice.length)];
      if (end > start) summary.add(slice.subarray(start - at, end - at));
      at += slice.length;
      if (at >= to) break;
    }
    return summary;
  }

  async isFinite(): Promise<boolean> {
    for await (const slice of this.#slices()) if (!allFinite(slice)) return false;
    return true;
  }

  /** @param counted also where it is large */
  async line(counted: boolean, signal?: AbortSignal): Promise<TensorLine> {
    const { name, shape, type, writable, size } = this;
    const statistics = counted || size <= mostUnasked ? (await this.summary(0, size, signal)).statistics : null;
    return { name, shape: [...shape], type, bytes: 4 * size, statistics, writable };
  }

  async *#slices(): AsyncGenerator<Float32Array> {
    const value = this.#value;
    if (this.#whole || !isDeviceTensor(value)) {
      const all = this.#whole ? await this.#whole : (value as TensorData).data;
      for (let at = 0; at < all.length; at += sliceNumbers) yield all.subarray(at, at + sliceNumbers);
      return;
    }
    const slices = value.slices(sliceNumbers)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#reading(() => slices.next());
      if (next.done) return;
      yield next.value;
    }
  }

  /** A device that is gone, or out of memory, is told as such. */
  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const hint = 'Detach, and look at the run: its device may be lost.';
      throw new UserError('device', `${this.name} cannot be read: ${why}`, hint, { cause: error });
    }
  }
}

export class HeldTensors {
  readonly #between: Between | null;
  readonly #known = new Map<string, HeldTensor>();
  readonly #results: string[] = [];
  readonly #owned: DeviceTensor[] = [];
  #made = 0;

  /** @param between null between two iterations, where there are none */
  constructor(between: Between | null) {
    this.#between = between;
  }

  get names(): readonly string[] {
    return this.#between?.names ?? [];
  }

  /** Throws UserError('usage') for a name that does not exist now. */
  get(name: string): HeldTensor {
    const found = this.find(name);
    if (found) return found;
    const hint = this.names.length > 0 ? `There are ${this.names.join(', ')}.` : 'They come with the first stage.';
    throw new UserError('usage', `there is no tensor ${JSON.stringify(name)} at this stop`, hint);
  }

  find(name: string): HeldTensor | undefined {
    const known = this.#known.get(name);
    if (known || !this.#between?.names.includes(name)) return known;
    const held = new HeldTensor(name, this.#between.tensor(name), true);
    this.#known.set(name, held);
    return held;
  }

  /** Keeps the result of an expression. @returns it, by a name of its own */
  keep(value: TensorData): HeldTensor {
    this.#made += 1;
    const held = new HeldTensor(`#${this.#made}`, value, false);
    this.#known.set(held.name, held);
    this.#results.push(held.name);
    if (this.#results.length > mostResults) this.#known.delete(this.#results.shift()!);
    return held;
  }

  /** Takes over a value inside a network. */
  show(name: string, value: DeviceTensor): HeldTensor {
    this.#owned.push(value);
    const held = new HeldTensor(name, value, false);
    this.#known.set(name, held);
    return held;
  }

  /** Shows what others hold. */
  lend(name: string, value: Feed): HeldTensor {
    const held = new HeldTensor(name, value, false);
    this.#known.set(name, held);
    return held;
  }

  /** Puts numbers in a tensor's place. Throws UserError('usage') where it is read only. */
  replace(name: string, data: Float32Array): void {
    const { writable, shape } = this.get(name);
    if (!writable || !this.#between) {
      throw new UserError('usage', `${name} is only computed to be looked at`, 'Change what it is computed from.');
    }
    this.#between.replace(name, { shape: [...shape], data });
    this.#known.delete(name);
    // What was computed inside the stage was computed from what was there before.
    for (const other of [...this.#known.keys()]) if (other.startsWith('@')) this.#known.delete(other);
  }

  dispose(): void {
    for (const tensor of this.#owned) tensor.dispose();
    this.#known.clear();
  }
}
