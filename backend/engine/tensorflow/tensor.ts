/** Tensors of the TensorFlow engine: handles with one owner, and what is fed to a run. */
import type { Shape } from '../../graph/graph.ts';
import { halvesToFloats } from '../../graph/half.ts';
import { type HalfData, type NumberType, ranges, requireCount, type TensorData } from '../../graph/tensor-data.ts';
import { checkedFeed, type Declared, type DeviceTensor, type Feed, isDeviceTensor } from '../engine.ts';
import type { Tensor, Tf } from './kernels/kernel.ts';

export class TensorflowTensor implements DeviceTensor {
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly #tf: Tf;
  #value: Tensor | null;

  /** Takes over the handle: `dispose` disposes it. TensorFlow.js holds float16 as float32. */
  constructor(tf: Tf, value: Tensor, type: NumberType) {
    this.#tf = tf;
    this.#value = value;
    this.shape = value.shape;
    this.type = type;
  }

  /** The handle, still owned by this tensor. Throws after `dispose`. */
  get native(): Tensor {
    if (!this.#value) throw new Error('this device tensor was disposed');
    return this.#value;
  }

  async read(): Promise<Float32Array> {
    return (await this.native.data()) as Float32Array;
  }

  async *slices(numbers: number): AsyncGenerator<Float32Array> {
    const { native } = this;
    const tf = this.#tf;
    for (const [start, end] of ranges(native.size, numbers)) {
      const part = tf.tidy(() => tf.slice(tf.reshape(native, [native.size]), [start], [end - start]));
      try {
        yield (await part.data()) as Float32Array;
      } finally {
        part.dispose();
      }
    }
  }

  dispose(): void {
    this.#value?.dispose();
    this.#value = null;
  }
}

/** Numbers of the host as a tensor. They are copied: TensorFlow.js would keep looking at the caller's array. */
export function fromHost(tf: Tf, value: TensorData | HalfData): Tensor {
  const data = 'halves' in value ? halvesToFloats(value.halves) : Float32Array.from(value.data);
  return tf.tensor(data, [...value.shape], 'float32');
}

/** Numbers that arrive in slices as one tensor; for a moment the device has them twice. Throws when they are too few or too many. */
export async function fromSlices(tf: Tf, shape: Shape, slices: AsyncIterable<Float32Array>): Promise<Tensor> {
  const parts: Tensor[] = [];
  try {
    let count = 0;
    for await (const data of slices) {
      if (data.length > 0) parts.push(fromHost(tf, { shape: [data.length], data }));
      count += data.length;
    }
    requireCount(shape, count);
    if (count === 0) return fromHost(tf, { shape, data: new Float32Array(0) });
    return tf.tidy(() => tf.reshape(tf.concat(parts, 0), [...shape]));
  } finally {
    for (const part of parts) part.dispose();
  }
}

/** What a feed is on the device; `temporary` when it was uploaded here. Errors name the program and the input. */
export function nativeOf(
  tf: Tf,
  program: string,
  name: string,
  input: Declared,
  fed: Feed | undefined,
): { tensor: Tensor; temporary: boolean } {
  const feed = checkedFeed(program, name, input, fed);
  if (!isDeviceTensor(feed)) return { tensor: fromHost(tf, feed), temporary: true };
  if (!(feed instanceof TensorflowTensor)) throw new Error(`input '${name}' lives on another engine`);
  return { tensor: feed.native, temporary: false };
}
