/** A tensor of the engine over the C API: memory of the host that is known by its shape. No handle of the runtime stands behind it. */
import { halvesToFloats } from '../../../graph/half.ts';
import { type NumberType, ranges } from '../../../graph/tensor-data.ts';
import type { DeviceTensor } from '../../engine.ts';
import { intoBlocks, outOfBlocks, rearrangeIntoBlocks } from '../kernel-blocks.ts';
import { type AddressOf, aligned, Memory } from './memory.ts';

export class HostTensor implements DeviceTensor {
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly #address: AddressOf;
  #memory: Memory | null;
  /** Channels per block where the memory is a convolution's kernel in the blocked layout; 0 in the ordinary one. */
  #blocks = 0;

  /** Takes the memory over. */
  constructor(shape: readonly number[], memory: Memory, address: AddressOf) {
    this.shape = [...shape];
    this.type = memory.type;
    this.#memory = memory;
    this.#address = address;
  }

  /** A kernel in blocks of `n` channels; 0: as it is. Kept in the form asked for last, so that weights are in memory once. Throws after `dispose`. */
  inBlocks(n: number): Memory {
    const memory = this.#memory;
    if (!memory) throw new Error('this device tensor was disposed');
    if (!memory.whole) throw new Error("a device tensor's numbers were handed to another thread");
    if (n === this.#blocks) return memory;
    const held = memory.numbers as Float32Array;
    if (n > 0 && this.#blocks === 0 && memory.changeable) {
      rearrangeIntoBlocks(held, this.shape, n);
      this.#blocks = n;
      return memory;
    }
    const plain = this.#blocks > 0 ? outOfBlocks(held, this.shape, this.#blocks) : held;
    const numbers = n > 0 ? intoBlocks(plain, this.shape, n, this.#room(plain.length)) : plain;
    // The memory before goes back to nobody: a program that makes kernels is fed them in the layout that it makes.
    this.#memory = new Memory(numbers);
    this.#blocks = n;
    return this.#memory;
  }

  async read(): Promise<Float32Array> {
    return this.#floats();
  }

  async *slices(numbers: number): AsyncGenerator<Float32Array> {
    const { length } = this.inBlocks(0).numbers;
    for (const [start, end] of ranges(length, numbers)) yield this.#floats(start, end);
  }

  dispose(): void {
    this.#memory?.release();
    this.#memory = null;
  }

  /** A view where they are float32. */
  #floats(start?: number, end?: number): Float32Array {
    const { numbers } = this.inBlocks(0).show();
    const part = numbers.subarray(start, end);
    return part instanceof Uint16Array ? halvesToFloats(part) : part;
  }

  #room(count: number): Float32Array<ArrayBuffer> {
    return aligned(count, 'float32', this.#address) as Float32Array<ArrayBuffer>;
  }
}
