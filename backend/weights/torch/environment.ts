/**
 * The allow-list as a whole. A name that is not on it is refused where it is mentioned, before anything could call it.
 */
import type { Environment } from '../pickle/machine.ts';
import { persistenceGlobals } from '../pickle/persistence.ts';
import { pythonGlobals } from '../pickle/python-globals.ts';
import { Budget, describe, type Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import { type LoadStorage, loadFromBytes, storageLoader, torchGlobals } from './globals.ts';
import { StorageType } from './names.ts';
import { strangeTensor } from './strange.ts';
import { storageFrom, type TorchStorage } from './tensor.ts';

const allowed: ReadonlyMap<string, Value> = new Map([...pythonGlobals, ...persistenceGlobals, ...torchGlobals]);

const distrust =
  'Nothing in it was executed. Do not trust a file that asks for this; if it is your own, save only the state dict, or convert it to safetensors.';

/** An environment for one file. `storages` collects what its persistent ids mention. */
export function torchEnvironment(
  loadStorage: LoadStorage,
  budget = new Budget(),
): Environment & { readonly storages: Map<string, TorchStorage> } {
  const loader = storageLoader(loadStorage);
  const storages = new Map<string, TorchStorage>();
  return {
    budget,
    storages,
    global(module, name) {
      const full = `${module}.${name}`;
      const value = full === loadFromBytes ? loader : allowed.get(full);
      const strange = value ? undefined : strangeTensor(full);
      if (strange) refuse(`${strange.what} (${full.slice(0, 200)}), which this program does not read`, strange.hint);
      return value ?? refuse(`refused: it asks for ${full.slice(0, 200)}, which no weights are built of`, distrust);
    },
    persistent(id) {
      const storage = storageOf(id);
      const known = storages.get(storage.key);
      if (known && (known.dtype !== storage.dtype || known.count !== storage.count)) {
        refuse(`storage ${storage.key} is described in two ways`);
      }
      storages.set(storage.key, known ?? storage);
      return known ?? storage;
    },
  };
}

/** ('storage', type, key, location, count), and in the legacy format a view that no PyTorch since 0.4 writes. */
function storageOf(id: Value): TorchStorage {
  if (!Array.isArray(id) || id[0] !== 'storage') refuse(`it refers to ${describe(id)}, kept outside the pickle`);
  const [, type, key = null, , count = null, view = null] = id;
  if (!(type instanceof StorageType)) refuse(`a storage has the type ${describe(type)}`);
  if (view !== null) refuse('a storage is a view of another storage', 'Save the file with a newer PyTorch.');
  return storageFrom(key, type.value, count);
}
