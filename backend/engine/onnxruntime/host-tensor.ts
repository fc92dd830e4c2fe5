/**
 * ONNX Runtime's tensors of numbers on the host. float16 is handed over as its bits in a Uint16Array: from Node 24 on, which has a
 * Float16Array, the package makes such a tensor hold one, and its native part does not know that kind of array.
 */
import type * as ort from 'onnxruntime-node';
import { halvesToFloats } from '../../graph/half.ts';
import type { HalfData, NumberType, TensorData } from '../../graph/tensor-data.ts';
import { runtime } from './runtime.ts';

export function hostTensor(value: TensorData | HalfData): ort.Tensor {
  if ('halves' in value) return asBits(new runtime.Tensor('float16', value.halves, value.shape));
  return new runtime.Tensor('float32', value.data, value.shape);
}

/** A tensor that a session takes: what a session returned may be float16 in the array that it does not take. */
export function asBits(tensor: ort.Tensor): ort.Tensor {
  if (tensor.type !== 'float16' || tensor.location !== 'cpu' || tensor.data instanceof Uint16Array) return tensor;
  return Object.defineProperty(tensor, 'data', { value: bitsOf(tensor) });
}

/** Numbers of a tensor on the host, a view where they are float32. */
export function floatsOf(tensor: ort.Tensor, start = 0, end = tensor.size): Float32Array {
  if (tensor.type === 'float16') return halvesToFloats(bitsOf(tensor).subarray(start, end));
  return (tensor.data as Float32Array).subarray(start, end);
}

/** Throws for what no graph has. */
export function numberTypeOf({ type }: ort.Tensor): NumberType {
  if (type === 'float32' || type === 'float16') return type;
  throw new Error(`a tensor of ${type} is none of a graph's`);
}

function bitsOf({ data }: ort.Tensor): Uint16Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = data as Uint16Array<ArrayBuffer>;
  return new Uint16Array(buffer, byteOffset, length);
}
