/**
 * Memory that native code reads and writes. It belongs to JavaScript, as it must in Electron, and native code knows its address only
 * while a run holds it. What results lie in goes back to the engine's pool when nobody holds it any more: an update that is computed
 * beside the state it replaces finds the memory of an earlier state, or of another network's gradient, and nothing is allocated.
 */
import type { Shape } from '../../../graph/graph.ts';
import {
  bytesPerNumber,
  type GivenData,
  type HalfData,
  type NumberType,
  sizeOf,
  type TensorData,
  typeOf,
} from '../../../graph/tensor-data.ts';
import type { Declared } from '../../engine.ts';

/** Vectors of the widest instructions then never lie across two lines of the processor's cache. */
const alignment = 64;

/** Host arrays up to here are copied; larger ones, frozen weights, are taken as they are. */
const mostCopied = 2 ** 26;

/** What is kept for the next runs, for each input or output that could take it. */
const mostFree = 2;

/** Free memory for the inputs and outputs of all programs of an engine, by size and type. */
export class Pool<R extends Room> {
  readonly #kinds = new Map<string, { readonly free: R[]; most: number }>();

  /** There is a program whose inputs or outputs these are. @returns there no longer is: what nobody could take is let go of */
  expect(tensors: Iterable<Declared>): () => void {
    const kinds = Array.from(tensors, ({ shape, type }) => this.#kind(type, sizeOf(shape) * bytesPerNumber[type]));
    for (const kind of kinds) kind.most += mostFree;
    return () => {
      const left = kinds.splice(0);
      for (const kind of left) kind.most -= mostFree;
      for (const { free, most } of left) for (const room of free.splice(most)) room.release();
    };
  }

  take(type: NumberType, bytes: number): R | undefined {
    return this.#kind(type, bytes).free.pop();
  }

  /** Whether there is place for it. */
  keep(room: R): boolean {
    const { free, most } = this.#kind(room.type, room.bytes);
    if (free.length >= most) return false;
    free.push(room);
    return true;
  }

  #kind(type: NumberType, bytes: number) {
    const key = `${type} ${bytes}`;
    const kind = this.#kinds.get(key) ?? { free: [], most: 0 };
    this.#kinds.set(key, kind);
    return kind;
  }
}

/** Memory for one tensor, wherever it lies. Who makes it holds it. */
export abstract class Room {
  readonly type: NumberType;
  readonly bytes: number;
  #pool: Pool<Room> | null;
  #holders = 1;

  /** @param pool where it goes back to */
  constructor(type: NumberType, bytes: number, pool: Pool<Room> | null) {
    this.type = type;
    this.bytes = bytes;
    this.#pool = pool;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  /** Whether somebody else than its tensor holds it, a run perhaps. */
  get shared(): boolean {
    return this.#holders > 1;
  }

  release(): void {
    this.#holders--;
    if (this.#holders > 0) return;
    this.#holders = 1;
    if (!this.#pool?.keep(this)) {
      this.#holders = 0;
      this.free();
    }
  }

  protected leavePool(): void {
    this.#pool = null;
  }

  /** Nobody holds it, and nobody will. */
  protected abstract free(): void;
}

/** In memory of the host. */
export class Memory extends Room {
  /** float32, or float16 as its bits. */
  readonly numbers: Float32Array | Uint16Array;
  /** Whether nobody outside knows the numbers: they may be put in another order where they are. */
  #given: boolean;

  constructor(numbers: Float32Array | Uint16Array, pool: Pool<Memory> | null = null, given = false) {
    // V8 has small arrays in its heap, where they move, until their buffer is asked for.
    void numbers.buffer;
    super(numbers instanceof Uint16Array ? 'float16' : 'float32', numbers.byteLength, pool as Pool<Room> | null);
    this.numbers = numbers;
    this.#given = given;
  }

  get changeable(): boolean {
    return this.#given && !this.shared;
  }

  /** Whether it is still there: a buffer that was handed to another thread is not. */
  get whole(): boolean {
    return this.numbers.byteLength === this.bytes;
  }

  /** Somebody sees the numbers and may look at them at any later time: no run gets this memory again. */
  show(): this {
    this.#given = false;
    this.leavePool();
    return this;
  }

  /** JavaScript collects it. */
  protected free(): void {}
}

/** Room for numbers, which are anything: what is free in the pool, or new memory. It goes back there. */
export function takeFrom(pool: Pool<Memory>, shape: Shape, type: NumberType, address: AddressOf): Memory {
  const count = sizeOf(shape);
  return pool.take(type, count * bytesPerNumber[type]) ?? new Memory(aligned(count, type, address), pool, true);
}

/** Numbers of the host as the engine's own, which nobody else changes, unless they are many. @param pool where there may be room */
export function ownMemory(value: TensorData | HalfData | GivenData, address: AddressOf, pool: Pool<Memory>): Memory {
  const numbers = 'halves' in value ? value.halves : value.data;
  if (numbers.byteLength > mostCopied) return new Memory(numbers, null, 'given' in value);
  const own = takeFrom(pool, value.shape, typeOf(value), address);
  own.numbers.set(numbers);
  return own;
}

/** Where an array lies. */
export type AddressOf = (array: ArrayBufferView) => bigint;

export type Numbers = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

export function aligned(count: number, type: NumberType, address: AddressOf): Numbers {
  const buffer = new ArrayBuffer(count * bytesPerNumber[type] + alignment);
  const over = Number(address(new Uint8Array(buffer)) % BigInt(alignment));
  const offset = over === 0 ? 0 : alignment - over;
  return type === 'float16' ? new Uint16Array(buffer, offset, count) : new Float32Array(buffer, offset, count);
}
