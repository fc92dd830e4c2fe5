/** Numbers in the host's memory, which is where OpenVINO takes them from and puts them: float32, or float16 as its bits. */
import { halvesToFloats } from '../../graph/half.ts';
import { type NumberType, ranges } from '../../graph/tensor-data.ts';
import type { DeviceTensor } from '../engine.ts';

export type Numbers = Float32Array | Uint16Array;

export class OpenVinoTensor implements DeviceTensor {
  readonly shape: readonly number[];
  readonly type: NumberType;
  #numbers: Numbers | null;

  /** Takes the numbers over. */
  constructor(shape: readonly number[], numbers: Numbers) {
    this.shape = [...shape];
    this.type = numbers instanceof Uint16Array ? 'float16' : 'float32';
    this.#numbers = numbers;
  }

  /** Throws after `dispose`. */
  get numbers(): Numbers {
    if (!this.#numbers) throw new Error('this device tensor was disposed');
    return this.#numbers;
  }

  async read(): Promise<Float32Array> {
    return floats(this.numbers);
  }

  async *slices(count: number): AsyncGenerator<Float32Array> {
    for (const [start, end] of ranges(this.numbers.length, count)) yield floats(this.numbers.subarray(start, end));
  }

  dispose(): void {
    this.#numbers = null;
  }
}

const floats = (numbers: Numbers): Float32Array => (numbers instanceof Uint16Array ? halvesToFloats(numbers) : numbers);
