/**
 * The format torch.save wrote before 1.6, and still writes on request: four pickles (a magic number, the protocol, the
 * writing system, the object), a fifth with the storages' names, then each storage as its count and its bytes.
 */
import { ByteReader } from '../pickle/byte-reader.ts';
import { parsePickle } from '../pickle/parse.ts';
import { type Budget, describe, type Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import { itemSize } from '../stored-tensor.ts';
import { torchEnvironment } from './environment.ts';
import { TorchStorage } from './tensor.ts';

const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;

/** A file that starts with a pickle: legacy torch.save, or anything else that was pickled as a whole. */
export function parsePickledFile(bytes: Uint8Array): { root: Value; legacy: boolean } {
  const input = new ByteReader(bytes);
  const environment = torchEnvironment(loadStorage);
  const first = parsePickle(input, environment);
  if (first === magic) return { root: parseAfterMagic(input, environment), legacy: true };
  if (environment.storages.size > 0)
    refuse('its tensors are kept outside the pickle', 'Name the file torch.save wrote.');
  return { root: first, legacy: false };
}

/** A storage that was saved on its own, inside a pickle. It cannot contain another one. */
export function loadStorage(bytes: Uint8Array, budget: Budget): TorchStorage {
  const input = new ByteReader(bytes);
  const environment = torchEnvironment(() => refuse('a storage contains a storage'), budget);
  if (parsePickle(input, environment) !== magic) refuse('a storage is not in the format of torch.save');
  const root = parseAfterMagic(input, environment);
  return root instanceof TorchStorage ? root : refuse(`a storage turns out to be ${describe(root)}`);
}

function parseAfterMagic(input: ByteReader, environment: ReturnType<typeof torchEnvironment>): Value {
  const version = parsePickle(input, environment);
  if (version !== protocol) refuse(`its legacy format has version ${describe(version)}, not ${protocol}`);
  const system = parsePickle(input, environment);
  if (system instanceof Map && system.get('little_endian') === false) {
    refuse('it was written on a big-endian machine', 'Save it again on a little-endian one.');
  }
  const root = parsePickle(input, environment);
  const keys = parsePickle(input, environment);
  if (!Array.isArray(keys)) refuse('it has no list of storages');
  for (const key of keys) readStorage(input, environment.storages, key);
  return root;
}

function readStorage(input: ByteReader, storages: Map<string, TorchStorage>, key: Value): void {
  const storage = typeof key === 'string' ? storages.get(key) : undefined;
  if (!storage) refuse(`it lists storage ${describe(key)}, which no tensor uses`);
  const count = input.uint64();
  if (count !== storage.count)
    refuse(`storage ${storage.key} has ${count} numbers, not the ${storage.count} it claims`);
  storage.bytes = input.take(count * itemSize(storage.dtype));
}
