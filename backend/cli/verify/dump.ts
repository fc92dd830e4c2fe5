/** `dmd verify --dump`: the computed arrays and scalars, under the names of case.json. */
import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folders.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { writeSafetensors } from '../../weights/safetensors.ts';
import type { StoredTensor } from '../../weights/stored-tensor.ts';
import type { CaseReport } from './check-case.ts';
import type { NumberArray } from './compare.ts';

/** Writes DIR/<case>/arrays.safetensors and scalars.json. Throws UserError('io'). */
export async function dumpCase(folder: string, { name, computed, integers }: CaseReport): Promise<void> {
  if (!computed) return;
  const target = join(folder, name);
  makeFolder(target);
  const arrays = [...computed.arrays].map(([key, array]) => [key, stored(array, integers.has(key))] as const);
  await writeSafetensors(join(target, 'arrays.safetensors'), arrays);
  const scalars = Object.fromEntries(computed.scalars);
  writeFileAtomic(join(target, 'scalars.json'), `${JSON.stringify(scalars, null, 2)}\n`);
}

function stored({ shape, data }: NumberArray, integer: boolean): TensorData | StoredTensor {
  if (integer) return { dtype: 'I64', shape, data: BigInt64Array.from(Array.from(data), BigInt) };
  return { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}
