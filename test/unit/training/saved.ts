/** What a trainer saves, in memory: to be compared, and to be restored from as if it were files. */
import type { TensorData } from '../../../backend/graph/tensor-data.ts';
import type { Trainer } from '../../../backend/training/trainer.ts';
import { collect, type StoredArrays } from '../../../backend/weights/array-source.ts';

export type Saved = Map<string, Map<string, TensorData>>;

export async function savedBy(trainer: Pick<Trainer, 'save'>): Promise<Saved> {
  const saved: Saved = new Map();
  for (const [file, arrays] of await trainer.save()) {
    const inFile = new Map<string, TensorData>();
    for (const [name, source] of arrays) inFile.set(name, await collect(source));
    saved.set(file, inFile);
  }
  return saved;
}

export function storedIn(saved: Saved): Map<string, StoredArrays> {
  return new Map(Array.from(saved, ([file, arrays]) => [file, inMemory(arrays)]));
}

function inMemory(arrays: ReadonlyMap<string, TensorData>): StoredArrays {
  return {
    names: [...arrays.keys()],
    shape: (name) => arrays.get(name)?.shape,
    read: async (name, start, end) => arrays.get(name)!.data.slice(start, end),
  };
}
