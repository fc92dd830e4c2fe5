/** Batches on the host, put together and cut along their first axis. */
import type { TensorData } from '../graph/tensor-data.ts';
import type { HostTensors } from '../models/conditions.ts';

/** Every tensor of `a` with that of the same name in `b` after it. Throws when their rows are not of one size. */
export function joinRows(a: HostTensors, b: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(a).map(([name, { shape, data }]) => {
      const other = b[name];
      if (other?.shape.slice(1).join() !== shape.slice(1).join()) {
        throw new Error(`'${name}': [${shape}] and [${other?.shape}] are not of one size`);
      }
      const joined = new Float32Array(data.length + other.data.length);
      joined.set(data);
      joined.set(other.data, data.length);
      return [name, { shape: [shape[0]! + other.shape[0]!, ...shape.slice(1)], data: joined }];
    }),
  );
}

/** The first `count` rows of each, as views. */
export function firstRows(tensors: HostTensors, count: number): HostTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]): [string, TensorData] => {
      const [rows, ...row] = shape as [number];
      return [name, { shape: [count, ...row], data: data.subarray(0, (data.length / rows) * count) }];
    }),
  );
}
