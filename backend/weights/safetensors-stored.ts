/** Tensors of a safetensors file of any size, read by need: only its header is in memory, and no file stays open. */
import { sizeOf } from '../graph/tensor-data.ts';
import type { StoredArrays } from './array-source.ts';
import { withWeightsFile } from './files.ts';
import { refuse } from './refusal.ts';
import { readHeader } from './safetensors-header.ts';
import { itemSize, storedTensor, toFloat32 } from './stored-tensor.ts';

/**
 * Reads and checks the header. Reading numbers later throws UserError('weights') that names file and tensor when the tensor is
 * not there or the file is no longer as long as it was.
 */
export function openStoredArrays(path: string): Promise<StoredArrays> {
  return withWeightsFile(path, async (file) => {
    const { start, entries } = await readHeader(file);
    const places = new Map(entries.map((entry) => [entry.name, entry]));
    return {
      names: [...places.keys()],
      shape: (name) => places.get(name)?.shape,
      read: (name, from, to) =>
        withWeightsFile(path, async (again) => {
          const { dtype, shape, begin } = places.get(name) ?? refuse(`it has no tensor '${name}'`);
          const count = sizeOf(shape);
          if (!(from >= 0 && from <= to && to <= count)) {
            throw new Error(`numbers ${from} to ${to} of ${path}: ${name}, which has ${count}`);
          }
          if (again.size !== file.size) {
            refuse(`tensor '${name}' cannot be read: the file has ${again.size} bytes and had ${file.size}`);
          }
          const width = itemSize(dtype);
          const { buffer } = await again.read(start + begin + width * from, width * (to - from));
          return toFloat32(storedTensor(dtype, [to - from], buffer)).data;
        }),
    };
  });
}
