/** Tensors of the TensorFlow engine: handles with one owner, and what is fed to a run. */
import type { Shape } from '../../graph/graph.ts';
import { ranges, requireCount, type TensorData } from '../../graph/tensor-data.ts';
import { type DeviceTensor, type Feed, isDeviceTensor } from '../engine.ts';
import type { Tensor, Tf } from './kernels/kernel.ts';

export class TensorflowTensor implements DeviceTensor {
  readonly shape: readonly number[];
  private readonly tf: Tf;
  private value: Tensor | null;

  /** Takes over the handle: `dispose` disposes it. */
  constructor(tf: Tf, value: Tensor) {
    this.tf = tf;
    this.value = value;
    this.shape = value.shape;
  }

  /** The handle, still owned by this tensor. Throws after `dispose`. */
  get native(): Tensor {
    if (!this.value) throw new Error('this device tensor was disposed');
    return this.value;
  }

  async read(): Promise<Float32Array> {
    return (await this.native.data()) as Float32Array;
  }

  async *slices(numbers: number): AsyncGenerator<Float32Array> {
    const { tf, native } = this;
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
    this.value?.dispose();
    this.value = null;
  }
}

/** Numbers of the host as a tensor. They are copied: TensorFlow.js would keep looking at the caller's array. */
export function fromHost(tf: Tf, { shape, data }: TensorData): Tensor {
  return tf.tensor(Float32Array.from(data), [...shape], 'float32');
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
  shape: Shape,
  feed: Feed | undefined,
): { tensor: Tensor; temporary: boolean } {
  if (!feed) throw new Error(`program '${program}' needs input '${name}' [${shape}]`);
  if (feed.shape.join() !== shape.join()) {
    throw new Error(`program '${program}': input '${name}' is [${feed.shape}] where [${shape}] is declared`);
  }
  if (!isDeviceTensor(feed)) return { tensor: fromHost(tf, feed), temporary: true };
  if (!(feed instanceof TensorflowTensor)) throw new Error(`input '${name}' lives on another engine`);
  return { tensor: feed.native, temporary: false };
}
