/** NumPy's .npz format: a zip of .npy files, stored or deflated, such as the statistics that FID programs share. */
import yauzl from 'yauzl';
import { BoundedReader } from '../bounded-reader.ts';
import { withWeightsFile } from '../files.ts';
import { Refusal, refuse } from '../refusal.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { readZipEntry } from '../zip-entry.ts';
import { decodeNpy } from './npy.ts';

/** Statistics of 2048 features are 32 MiB, which may all be zeros; numbers that are not are hardly packed. */
const limits = { free: 2 ** 26, perPacked: 16 };

/**
 * The arrays called `names`, by name; what else the file holds is not looked at. Throws UserError('weights') that names
 * the file when it is missing, damaged, no .npz, or lacks an array.
 */
export function readNpz(path: string, names: readonly string[]): Promise<Map<string, StoredTensor>> {
  return withWeightsFile(path, async (file) => {
    const zip = await guarded(() =>
      yauzl.fromRandomAccessReaderPromise(new BoundedReader(file), file.size, { autoClose: false }),
    );
    try {
      return await readArrays(zip, names);
    } finally {
      zip.close();
    }
  });
}

async function readArrays(zip: yauzl.ZipFile, names: readonly string[]) {
  const entries = new Map<string, yauzl.Entry>();
  await guarded(async () => {
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
  });
  const arrays = new Map<string, StoredTensor>();
  for (const name of names) {
    const entry = entries.get(`${name}.npy`);
    if (!entry) {
      const held = [...entries.keys()].slice(0, 5).join(', ') || 'nothing';
      refuse(`the array '${name}' is missing; it holds ${held}`, `Give a file with the arrays ${names.join(', ')}.`);
    }
    arrays.set(name, decodeNpy(await readEntry(zip, entry), `'${name}'`));
  }
  return arrays;
}

async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Uint8Array> {
  try {
    return await readZipEntry(zip, entry, limits);
  } catch (error) {
    return refuse(`${entry.fileName} ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What yauzl says about a malformed archive, as a refusal. */
async function guarded<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const hint = 'A .npz is what numpy.savez writes; fetch or make the file again.';
    throw new Refusal(`this is not a readable .npz (${reason})`, hint, { cause: error });
  }
}
