/** Reads a recorded reference case from test/golden/cases, for the unit tests: its own few lines, independent of backend/weights. */
import { readFileSync } from 'node:fs';
import type { TensorData } from '../../backend/graph/tensor-data.ts';

/** A case.json as it is; `Case` says which of its parts the test reads. */
export function readCaseJson<Case>(name: string): Case {
  return JSON.parse(readFileSync(new URL(`cases/${name}/case.json`, import.meta.url), 'utf8')) as Case;
}

/** The arrays of a case's io.safetensors (or weights.safetensors) by name; integers come as float32. */
export function readCaseArrays(name: string, part: 'io' | 'weights' = 'io'): Record<string, TensorData> {
  const file = readFileSync(new URL(`cases/${name}/${part}.safetensors`, import.meta.url));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, Entry>;
  const tensors = Object.entries(header).filter(([key]) => key !== '__metadata__');
  return Object.fromEntries(
    tensors.map(
      ([
        key,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const bytes = Uint8Array.from(file.subarray(start + from, start + to)).buffer;
        const data = dtype === 'I64' ? Float32Array.from(new BigInt64Array(bytes), Number) : new Float32Array(bytes);
        return [key, { shape, data }];
      },
    ),
  );
}

interface Entry {
  dtype: 'F32' | 'I64';
  shape: number[];
  data_offsets: [number, number];
}
