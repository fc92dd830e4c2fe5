/** Host arrays to the bytes of a safetensors file and back, as checkpoints and fields keep them. */

import { largestHalf } from '../graph/half.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import { toFloat32 } from './stored-tensor.ts';

/** As float32, bit for bit, with free text in the header. */
export function encodeTensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Record<string, string> = {},
): Uint8Array {
  return encodeSafetensors(tensors, { metadata });
}

/** Float16 where every value fits it, float32 for the other tensors. */
export function encodeHalfTensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Record<string, string> = {},
): Uint8Array {
  const wide = [...tensors].map(([name, tensor]) => [name, fitsHalf(tensor) ? tensor : keepFloat32(tensor)] as const);
  return encodeSafetensors(wide, { metadata, dtype: 'F16' });
}

function fitsHalf({ data }: TensorData): boolean {
  return data.every((value) => Math.abs(value) <= largestHalf || !Number.isFinite(value));
}

function keepFloat32({ shape, data }: TensorData) {
  return { dtype: 'F32' as const, shape, data };
}

/** @throws UserError('weights') that starts with `label` when the bytes are damaged */
export function decodeTensors(
  bytes: Uint8Array,
  label: string,
): { tensors: Map<string, TensorData>; metadata: Record<string, string> } {
  const { tensors, metadata } = decodeSafetensors(bytes, label);
  return { tensors: new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)])), metadata };
}
