/** PyTorch files of every kind as state dicts: which kind a file is, shows in its first bytes, not in its name. */
import { type WeightsFile, withWeightsFile } from '../files.ts';
import type { Instance, Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { chooseSet, type SetPath } from '../weight-sets.ts';
import { type Checkpoint, findCheckpoints } from './checkpoint.ts';
import { CopyBudget, materialize } from './copy.ts';
import { parsePickledFile } from './legacy.ts';
import type { TorchStorage, TorchTensor } from './tensor.ts';
import { openTorchZip } from './zip.ts';

export type TorchFormat = 'torch-zip' | 'torch-legacy' | 'pickle';

export interface TorchFile {
  readonly format: TorchFormat;
  /** By the names of the state dict, contiguous, in the dtypes of the file. */
  readonly tensors: Map<string, StoredTensor>;
  /** The keys under which the state dict was, [] when it was the whole file. */
  readonly path: readonly string[];
  /** Those of other state dicts that would have fitted, where whoever chose knows. */
  readonly others: readonly SetPath[];
  /** The pickled network, where the file holds one rather than a bare state dict. */
  readonly module: Instance | undefined;
  /** Everything that was pickled, as data. */
  readonly root: Value;
}

/**
 * Reads a `.pt`, `.pth`, `.bin` or `.pkl` file without executing anything. Throws UserError('weights') when the file is
 * damaged, holds no weights, or asks for anything outside the allow-list.
 */
export function readTorchFile(path: string): Promise<TorchFile> {
  return withWeightsFile(path, async (file) => {
    const magic = await file.read(0, Math.min(2, file.size));
    return magic[0] === 0x50 && magic[1] === 0x4b ? readTorchZip(file) : readPickled(file);
  });
}

/** Chooses among the sets of weights that a file holds; may refuse. */
export type Choose = (sets: readonly Checkpoint[]) => Checkpoint;

/** The zip format, of a file that is open. */
export async function readTorchZip(file: WeightsFile, choose: Choose = chooseSet): Promise<TorchFile> {
  const zip = await openTorchZip(file);
  try {
    return await collect('torch-zip', zip.root, file.size, choose, zip.fill);
  } finally {
    zip.close();
  }
}

/** The legacy format and plain pickles, of a file that is open. */
export async function readPickled(file: WeightsFile, choose: Choose = chooseSet): Promise<TorchFile> {
  const { root, legacy } = parsePickledFile(await file.read(0, file.size));
  return collect(legacy ? 'torch-legacy' : 'pickle', root, file.size, choose);
}

async function collect(
  format: TorchFormat,
  root: Value,
  fileSize: number,
  choose: Choose,
  fill?: (storage: TorchStorage) => Promise<void>,
): Promise<TorchFile> {
  const checkpoint = choose(findCheckpoints(root));
  const { path, module, others = [] } = checkpoint;
  if (checkpoint.tensors.size === 0) refuse('its network has no parameters');
  return { format, tensors: await materializeAll(checkpoint, fileSize, fill), path, others, module, root };
}

/** Storage by storage, so that at most one is in memory beside the finished tensors. */
async function materializeAll(
  { tensors }: Checkpoint,
  fileSize: number,
  fill?: (storage: TorchStorage) => Promise<void>,
): Promise<Map<string, StoredTensor>> {
  const budget = new CopyBudget(fileSize);
  const users = new Map<TorchStorage, [string, TorchTensor][]>();
  for (const [name, tensor] of tensors) {
    const list = users.get(tensor.storage);
    if (list) list.push([name, tensor]);
    else users.set(tensor.storage, [[name, tensor]]);
  }
  const done = new Map<string, StoredTensor>();
  for (const [storage, list] of users) {
    if (fill) {
      // Refuses by itself what is larger than the file; the sum over many storages is what the budget is for.
      await fill(storage);
      budget.spend(storage.byteLength);
    }
    for (const [name, tensor] of list) done.set(name, materialize(tensor, budget));
    storage.bytes = undefined;
  }
  return new Map(Array.from(tensors.keys(), (name) => [name, done.get(name) as StoredTensor]));
}
