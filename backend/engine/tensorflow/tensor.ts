/** Tensors of the TensorFlow engine: handles with one owner, and what is fed to a run. */
import type { Shape } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type DeviceTensor, type Feed, isDeviceTensor } from '../engine.ts';
import type { Tensor, Tf } from './kernels/kernel.ts';

export class TensorflowTensor implements DeviceTensor {
  readonly shape: readonly number[];
  private value: Tensor | null;

  /** Takes over the handle: `dispose` disposes it. */
  constructor(value: Tensor) {
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

  dispose(): void {
    this.value?.dispose();
    this.value = null;
  }
}

/** Numbers of the host as a tensor. They are copied: TensorFlow.js would keep looking at the caller's array. */
export function fromHost(tf: Tf, { shape, data }: TensorData): Tensor {
  return tf.tensor(Float32Array.from(data), [...shape], 'float32');
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
