/**
 * Numbers of the host on their way to a device with memory of its own. They move at the first run that reads them and stay
 * there, so that frozen weights cross over once and not at every run.
 */

import { halvesToFloats } from '../../graph/half.ts';
import { type HalfData, type NumberType, ranges, sizeOf, type TensorData, typeOf } from '../../graph/tensor-data.ts';
import type { DeviceTensor } from '../engine.ts';

export class UploadedTensor<Placed extends DeviceTensor> implements DeviceTensor {
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly #place: (value: TensorData | HalfData, name: string) => Promise<Placed>;
  /** Null once the numbers are on the device, and after `dispose`. */
  #host: TensorData | HalfData | null;
  #placed: Promise<Placed> | null = null;

  constructor(value: TensorData | HalfData, place: (value: TensorData | HalfData, name: string) => Promise<Placed>) {
    this.#host = value;
    this.shape = value.shape;
    this.type = typeOf(value);
    this.#place = place;
  }

  /** The tensor in device memory, owned by this one. Throws after `dispose`. @param name of the input that reads it */
  async onDevice(name: string): Promise<Placed> {
    if (!this.#placed) {
      this.#placed = this.#place(this.#onHost(), name);
      this.#host = null;
    }
    return this.#placed;
  }

  async read(): Promise<Float32Array> {
    if (this.#placed) return (await this.#placed).read();
    const host = this.#onHost();
    return 'halves' in host ? halvesToFloats(host.halves) : host.data;
  }

  async *slices(numbers: number): AsyncGenerator<Float32Array> {
    if (this.#placed) {
      yield* (await this.#placed).slices(numbers);
      return;
    }
    const host = this.#onHost();
    for (const [start, end] of ranges(sizeOf(this.shape), numbers)) {
      yield 'halves' in host ? halvesToFloats(host.halves.subarray(start, end)) : host.data.subarray(start, end);
    }
  }

  dispose(): void {
    const placed = this.#placed;
    this.#placed = null;
    this.#host = null;
    // A placement that failed has told whoever asked for it.
    placed?.then(
      (tensor) => tensor.dispose(),
      () => {},
    );
  }

  #onHost(): TensorData | HalfData {
    if (!this.#host) throw new Error('this device tensor was disposed');
    return this.#host;
  }
}
