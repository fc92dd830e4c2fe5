/**
 * Memory that native code reads and writes. It belongs to JavaScript, as it must in Electron, and native code knows its address only
 * while a run holds it. What a program's results lie in goes back to that program when nobody holds it any more: an update that is
 * computed beside the state it replaces finds the memory of the state before, so that two sets take turns and nothing is allocated.
 */
import {
  bytesPerNumber,
  type GivenData,
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
export class Home<R extends Room> {
  readonly #free: R[] = [];
  #closed = false;

  take(): R | undefined {
    return this.#free.pop();
  }

  /** Whether there is place for it. */
  keep(room: R): boolean {
    if (this.#closed || this.#free.length >= mostFree) return false;
    this.#free.push(room);
    return true;
  }

  /** Nobody takes from it any more: what it keeps is let go of, and it keeps nothing else. */
  close(): void {
    this.#closed = true;
    for (const room of this.#free.splice(0)) room.release();
  }
}

/** Memory for one tensor, wherever it lies. Who makes it holds it. */
export abstract class Room {
  readonly type: NumberType;
  readonly bytes: number;
  #home: Home<Room> | null;
  #holders = 1;

  constructor(type: NumberType, bytes: number, home: Home<Room> | null) {
    this.type = type;
    this.bytes = bytes;
    this.#home = home;
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
    if (!this.#home?.keep(this)) {
      this.#holders = 0;
      this.free();
    }
  }

  /** It goes back to no home. */
  protected leaveHome(): void {
    this.#home = null;
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

  constructor(numbers: Float32Array | Uint16Array, home: Home<Memory> | null = null, given = false) {
    // V8 has small arrays in its heap, where they move, until their buffer is asked for.
    void numbers.buffer;
    super(numbers instanceof Uint16Array ? 'float16' : 'float32', numbers.byteLength, home as Home<Room> | null);
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
    this.leaveHome();
    return this;
  }

  /** JavaScript collects it. */
  protected free(): void {}
}

/** Room for numbers, which are anything: what is free at its home, or new memory. It goes back there. */
export function takeFrom(home: Home<Memory>, shape: readonly number[], type: NumberType, address: AddressOf): Memory {
  return home.take() ?? new Memory(aligned(sizeOf(shape), type, address), home);
}

/** Numbers of the host as the engine's own, which nobody else changes, unless they are many. @param home where there may be room */
export function ownMemory(
  value: TensorData | HalfData | GivenData,
  address: AddressOf,
  home: Home<Memory> | null = null,
): Memory {
  const numbers = 'halves' in value ? value.halves : value.data;
  if (numbers.byteLength > mostCopied) return new Memory(numbers, null, 'given' in value);
  const type = typeOf(value);
  const own = home
    ? takeFrom(home, value.shape, type, address)
    : new Memory(aligned(numbers.length, type, address), null, true);
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
