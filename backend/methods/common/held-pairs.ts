/** Few and small pairs in memory: reading points one by one from the disk takes longer than training on them. */
import type { PairSet } from '../../data/pairs.ts';
import { sizeOf, type TensorData } from '../../graph/tensor-data.ts';

const mostBytes = 2 ** 22;

/**
 * The same batches, of the first `count` pairs, read at most once; a set that is larger than `limit` bytes is read as ever.
 * @throws what the set throws, at the first batch
 */
export function heldInMemory(set: PairSet, count: number, limit = mostBytes): Pick<PairSet, 'batch'> {
  if (count * (2 * sizeOf(set.shape) + set.labelDim) * 4 > limit) return set;
  let all: ReturnType<PairSet['batch']> | undefined;
  return {
    async batch(indices) {
      if (indices.length === 0) return set.batch(indices);
      all ??= set.batch(Array.from({ length: count }, (_, i) => i));
      const { z, y, labels } = await all;
      return { z: rowsOf(z, indices), y: rowsOf(y, indices), labels: rowsOf(labels, indices) };
    },
  };
}

function rowsOf({ shape, data }: TensorData, indices: readonly number[]): TensorData {
  const [, ...each] = shape;
  const numbers = sizeOf(each);
  const rows = new Float32Array(indices.length * numbers);
  for (const [to, from] of indices.entries()) {
    rows.set(data.subarray(from * numbers, (from + 1) * numbers), to * numbers);
  }
  return { shape: [indices.length, ...each], data: rows };
}
