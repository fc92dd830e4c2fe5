/**
 * Independent random streams by name.
 *
 * Every random draw of a run comes from `stream(run seed, purpose, step, ...)`, a pure function of its arguments. A
 * resumed run asks for the streams of the steps still to come and gets the very same numbers, so no generator state is
 * ever saved; and a purpose that draws more or fewer numbers (a probe, a preview) never shifts another.
 *
 * The path is hashed with SHA-256 and the whole digest keys the Mersenne Twister: PyTorch's own seeding keeps only 32
 * bits of a seed, too few for the many streams of a long run to stay distinct.
 */
import { createHash } from 'node:crypto';
import { Mt19937 } from './mt19937.ts';
import { TorchGenerator } from './torch-generator.ts';

/**
 * The generator of one purpose.
 * @param seed the run's (or data set's) seed: any finite number
 * @param path what it is for, e.g. `'generator', 'noise', step`; `1` and `'1'` are different, as are `'ab'` and `'a', 'b'`
 */
export function stream(seed: number, ...path: (string | number)[]): TorchGenerator {
  const parts = [seed, ...path];
  if (parts.some((part) => typeof part === 'number' && !Number.isFinite(part))) {
    throw new Error(`stream: not a finite number in (${parts.join(', ')})`);
  }
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  const key = new Uint32Array(8);
  for (let i = 0; i < key.length; i++) key[i] = digest.readUInt32LE(4 * i);
  return new TorchGenerator(Mt19937.fromKey(key));
}
