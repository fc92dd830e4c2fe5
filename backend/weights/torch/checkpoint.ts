/**
 * Finds the weights in what a file holds. A checkpoint may be a bare state dict, a pickled network, or a dictionary with
 * several of these beside the optimizer's state, counters and settings.
 */
import { describe, Instance, type Value } from '../pickle/values.ts';
import { Refusal, refuse } from '../refusal.ts';
import { isAverage, isUsualKey, type SetPath } from '../weight-sets.ts';
import { isModule, stateDictOf } from './modules.ts';
import { TorchTensor } from './tensor.ts';

export interface Checkpoint {
  readonly tensors: Map<string, TorchTensor>;
  /** The keys that led there, [] for the file's own top level. */
  readonly path: SetPath;
  /** The pickled network the tensors belong to, if it is one. */
  readonly module: Instance | undefined;
  /** Whoever chose it says here which others would have fitted. */
  readonly others?: readonly SetPath[];
}

/** Of the training, not of a network. */
const bookkeeping = /optim|sched|scaler|^(rng|random)_|_metadata$/i;
/** An average as diffusers' EMAModel and torch_ema keep it, or as a list: the parameters in their order, without names. */
const isUnnamed = (key: string) => key === 'shadow_params' || isAverage([key]);
/** Averages of several rates are a list of state dicts. */
const mostInList = 16;
/** Those in several places are searched in each; a checkpoint has a dozen. */
const mostDictionaries = 10_000;

/**
 * Every set of weights in a file, at least one.
 * @param root what the file's pickle holds. Refuses, saying what there is, where there are no tensors
 */
export function findCheckpoints(root: Value): Checkpoint[] {
  const unnamed: { readonly path: SetPath; readonly list: readonly TorchTensor[] }[] = [];
  const refusals: Refusal[] = [];
  const ofModule = (module: Instance, path: SetPath): Checkpoint[] => {
    try {
      return [{ tensors: stateDictOf(module), path, module }];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.push(error); // it may not be the one that is wanted
      return [];
    }
  };
  const open = new Set<Value>(); // a dictionary may be in several places, or in itself
  let visited = 0;
  const search = (value: Value, path: SetPath): Checkpoint[] => {
    if (isModule(value)) return ofModule(value, path);
    if (Array.isArray(value) && value.length <= mostInList && value.every((item) => item instanceof Map)) {
      return value.flatMap((item, i) => search(item, [...path, String(i)]));
    }
    if (!(value instanceof Map) || path.length > 3 || open.has(value)) return [];
    if (++visited > mostDictionaries) refuse('its dictionaries are nested without end');
    open.add(value);
    for (const [key, list] of texts(value)) {
      if (!isUnnamed(key) || !Array.isArray(list) || list.length === 0) continue;
      const outer = key === 'shadow_params' ? path : [...path, key];
      if (list.every((item) => item instanceof TorchTensor)) unnamed.push({ path: outer, list });
    }
    const inside = texts(value)
      .filter(([key]) => !bookkeeping.test(key))
      .flatMap(([key, inner]) => search(inner, [...path, key]));
    open.delete(value);
    const own = texts(value).filter((entry): entry is [string, TorchTensor] => entry[1] instanceof TorchTensor);
    // Beside weights under a key of their own, a loose tensor is none; beside other dictionaries, it is.
    if (own.length === 0 || inside.some((found) => isUsualKey(found.path[path.length]!))) return inside;
    return [{ tensors: new Map(own), path, module: undefined }];
  };
  const all = search(root, []);
  const filled = all.filter(({ tensors }) => tensors.size > 0);
  const found = filled.length > 0 ? filled : all;
  if (found.length > 0) return [...found, ...unnamed.flatMap(({ path, list }) => named(list, path, found))];
  if (refusals.length > 0) throw refusals[0];
  if (unnamed.length > 0) {
    refuse(
      'its averaged weights have no names',
      'Give the checkpoint that has them beside the weights they are the average of, or save the averaged network.',
    );
  }
  if (holdsArrays(root)) {
    refuse('its weights are NumPy arrays, not tensors', 'Save them with torch.from_numpy, or as safetensors.');
  }
  const keys = root instanceof Map ? [...root.keys()].map((key) => describe(key)).slice(0, 10) : [];
  const what = keys.length > 0 ? `a dictionary with ${keys.join(', ')}` : describe(root);
  return refuse(`it holds no weights, but ${what}`, 'Save the state_dict() of the network.');
}

/** The names that a list of parameters has in the set beside it whose tensors have these very shapes. */
function named(list: readonly TorchTensor[], path: SetPath, sets: readonly Checkpoint[]): Checkpoint[] {
  const shapes = (tensors: Iterable<TorchTensor>) => Array.from(tensors, ({ shape }) => shape.join()).join(';');
  const wanted = shapes(list);
  const twin = sets.find(({ tensors }) => tensors.size === list.length && shapes(tensors.values()) === wanted);
  if (!twin) return [];
  return [
    { tensors: new Map(Array.from(twin.tensors.keys(), (name, i) => [name, list[i]!])), path, module: undefined },
  ];
}

function texts(value: Map<Value, Value>): [string, Value][] {
  return [...value].filter((entry): entry is [string, Value] => typeof entry[0] === 'string');
}

function holdsArrays(value: Value, depth = 0): boolean {
  if (value instanceof Instance) return value.className === 'numpy.ndarray';
  const inside = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : [];
  return depth < 4 && inside.some((inner) => holdsArrays(inner, depth + 1));
}
