/** safetensors files as plain numbers in the precision they are stored in. */
import type { TensorData } from '../../graph/tensor-data.ts';
import { readSafetensors } from '../../weights/safetensors.ts';
import { type StoredTensor, toFloat32 } from '../../weights/stored-tensor.ts';
import type { NumberArray } from './compare.ts';

/** Every array of the file. Throws UserError('weights') when it is missing or damaged. */
export async function readArrays(file: string): Promise<Map<string, NumberArray>> {
  const { tensors } = await readSafetensors(file);
  return new Map([...tensors].map(([name, tensor]) => [name, numbers(tensor)]));
}

/** Every tensor of the file as float32. Throws UserError('weights') when it is missing or damaged. */
export async function readFloats(file: string): Promise<Map<string, TensorData>> {
  const { tensors } = await readSafetensors(file);
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}

/** The stored numbers without rounding, as far as float64 can hold them. */
export function numbers(tensor: StoredTensor): NumberArray {
  const { dtype, shape, data } = tensor;
  if (dtype === 'I64' || dtype === 'U64') {
    return { shape, data: Float64Array.from(data as BigInt64Array, Number), integer: true };
  }
  if (dtype === 'F16' || dtype === 'BF16') return toFloat32(tensor);
  return { shape, data };
}
