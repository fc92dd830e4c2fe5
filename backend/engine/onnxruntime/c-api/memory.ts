/**
 * Memory that native code reads and writes. It belongs to JavaScript, as it must in Electron, and native code knows its address only
 * while a run holds it. What a program's results lie in goes back to that program when nobody holds it any more: an update that is
 * computed beside the state it replaces finds the memory of the state before, so that two sets take turns and nothing is allocated.
 */
import {
  bytesPerNumber,
  type HalfData,
  type NumberType,
  sizeOf,
  type TensorData,
  typeOf,
} from '../../../graph/tensor-data.ts';

/** Vectors of the widest instructions then never lie across two lines of the processor's cache. */
const alignment = 64;

/** Host arrays up to here are copied; larger ones, frozen weights, are taken as they are. */
const mostCopied = 2 ** 26;

/** What is kept for the next runs. */
const mostFree = 2;

/** Free memory of one size, for one output or input of one program. */
export type Home = Memory[];

export class Memory {
  /** float32, or float16 as its bits. */
  readonly numbers: Float32Array | Uint16Array;
  readonly type: NumberType;
  readonly #bytes: number;
  #home: Home | null;
  #holders = 1;

  constructor(numbers: Float32Array | Uint16Array, home: Home | null = null) {
    // V8 has small arrays in its heap, where they move, until their buffer is asked for.
    void numbers.buffer;
    this.numbers = numbers;
    this.type = numbers instanceof Uint16Array ? 'float16' : 'float32';
    this.#bytes = numbers.byteLength;
    this.#home = home;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is still there: a buffer that was handed to another thread is not. */
  get whole(): boolean {
    return this.numbers.byteLength === this.#bytes;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    this.#holders--;
    if (this.#holders > 0 || !this.#home || this.#home.length >= mostFree) return;
    this.#holders = 1;
    this.#home.push(this);
  }

  /** Somebody sees the numbers and may look at them at any later time: no run gets this memory again. */
  show(): this {
    this.#home = null;
    return this;
  }
}

/** Room for numbers, which are anything: what is free at its home, or new memory. It goes back there. */
export function takeFrom(home: Home, shape: readonly number[], type: NumberType, address: AddressOf): Memory {
  return home.pop() ?? new Memory(aligned(sizeOf(shape), type, address), home);
}

/** Numbers of the host as the engine's own, which nobody else changes, unless they are many. @param home where there may be room */
export function ownMemory(value: TensorData | HalfData, address: AddressOf, home: Home | null = null): Memory {
  const numbers = 'halves' in value ? value.halves : value.data;
  if (numbers.byteLength > mostCopied) return new Memory(numbers);
  const type = typeOf(value);
  const own = home ? takeFrom(home, value.shape, type, address) : new Memory(aligned(numbers.length, type, address));
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
