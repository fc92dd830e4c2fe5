/**
 * The format of torch.save since 1.6: a zip file with one folder, in it `data.pkl` and one uncompressed entry per
 * storage, `data/KEY`. Only the entries that are needed are read, each at its place, and checked by its CRC.
 */
import CRC32 from 'crc-32';
import yauzl from 'yauzl';
import { BoundedReader } from '../bounded-reader.ts';
import type { WeightsFile } from '../files.ts';
import { ByteReader } from '../pickle/byte-reader.ts';
import { parsePickle } from '../pickle/parse.ts';
import type { Value } from '../pickle/values.ts';
import { Refusal, refuse } from '../refusal.ts';
import { torchEnvironment } from './environment.ts';
import { loadStorage } from './legacy.ts';
import type { TorchStorage } from './tensor.ts';

/** A pickle without its storages; a few hundred bytes per tensor. */
const largestPickle = 2 ** 28;
const mostEntries = 200_000;

export interface TorchZip {
  readonly root: Value;
  /** Finds a storage's bytes. The caller lets go of them when it has what it needs. */
  fill(storage: TorchStorage): Promise<void>;
  close(): void;
}

/** Opens the archive and parses its pickle; the storages are still on the disk. */
export async function openTorchZip(file: WeightsFile): Promise<TorchZip> {
  const reader = new BoundedReader(file);
  const zip = await guarded(() => yauzl.fromRandomAccessReaderPromise(reader, file.size, { autoClose: false }));
  try {
    const entries = await listEntries(zip);
    const folder = folderOf(entries);
    const read = (name: string, length?: number) =>
      readEntry(file, zip, entries.get(`${folder}/${name}`), name, length);
    if (entries.has(`${folder}/byteorder`)) {
      const order = new TextDecoder().decode(await read('byteorder'));
      if (order.trim() !== 'little') refuse(`its numbers are in ${order.slice(0, 20)}-endian order`);
    }
    const environment = torchEnvironment(loadStorage);
    const root = parsePickle(new ByteReader(await read('data.pkl')), environment);
    return {
      root,
      fill: async (storage) => {
        storage.bytes = await read(`data/${storage.key}`, storage.byteLength);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function listEntries(zip: yauzl.ZipFile): Promise<Map<string, yauzl.Entry>> {
  if (zip.entryCount > mostEntries) refuse(`its zip directory claims ${zip.entryCount} entries`);
  const entries = new Map<string, yauzl.Entry>();
  await guarded(async () => {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) refuse(`it has two entries ${entry.fileName}`);
      entries.set(entry.fileName, entry);
    }
  });
  return entries;
}

/** The archive's one folder, by its data.pkl. */
function folderOf(entries: ReadonlyMap<string, unknown>): string {
  const folders = [...entries.keys()]
    .filter((name) => /^[^/]+\/data\.pkl$/.test(name))
    .map((name) => name.split('/')[0]);
  if (folders.length === 0) {
    if (entries.size > 0 && [...entries.keys()].every((name) => name.endsWith('.npy'))) {
      refuse('this is an archive of NumPy arrays (.npz), not of tensors', 'Save them as safetensors.');
    }
    refuse('this zip file is not one that torch.save wrote: it has no data.pkl', 'Name a weights file.');
  }
  if (folders.length > 1) refuse('this zip file has several data.pkl');
  if (entries.has(`${folders[0]}/constants.pkl`)) {
    refuse('this is a TorchScript program, not weights', 'Save its state_dict() with torch.save.');
  }
  return folders[0];
}

/** @param length what the content must measure, where that is known */
async function readEntry(
  file: WeightsFile,
  zip: yauzl.ZipFile,
  entry: yauzl.Entry | undefined,
  name: string,
  length?: number,
): Promise<Uint8Array> {
  if (!entry) refuse(`${name} is missing in the zip file`);
  if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
    refuse(
      `${name} is compressed or encrypted in the zip file`,
      'torch.save stores it as it is: save the file with it.',
    );
  }
  const size = entry.uncompressedSize;
  if (length !== undefined && size !== length) refuse(`${name} has ${size} bytes, not the ${length} it claims`);
  if (length === undefined && size > largestPickle) refuse(`${name} has ${size} bytes, more than any model needs`);
  const { fileDataStart } = await guarded(() => zip.readLocalFileHeaderPromise(entry, { minimal: true }));
  if (fileDataStart + size > file.size) refuse(`${name} reaches past the end of the file`);
  const bytes = await file.read(fileDataStart, size);
  if (CRC32.buf(bytes) >>> 0 !== entry.crc32) {
    refuse(
      `${name} is damaged: its checksum differs`,
      'Fetch the file again. If it was saved with set_crc32_options(False), save it again without.',
    );
  }
  return bytes;
}

/** What yauzl says about a malformed archive, as a refusal. */
async function guarded<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(`its zip archive is damaged or cut off (${reason})`, 'Fetch or write the file again.', {
      cause: error,
    });
  }
}
