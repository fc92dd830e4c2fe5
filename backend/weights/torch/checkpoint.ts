/**
 * Finds the weights in what a file holds. A checkpoint may be a bare state dict, a pickled network, or a dictionary with
 * one of these beside the optimizer's state, counters and settings.
 */
import { describe, type Instance, type Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import { isModule, stateDictOf } from './modules.ts';
import { TorchTensor } from './tensor.ts';

/** Where people keep weights, best first: an average over training makes better images than the last step. */
const usualKeys = [
  'ema',
  'model_ema',
  'ema_state_dict',
  'params_ema',
  'state_dict',
  'model_state_dict',
  'model',
  'module',
  'net',
  'network',
  'generator',
  'params',
  'weights',
];

export interface Checkpoint {
  readonly tensors: Map<string, TorchTensor>;
  /** The keys that led there, [] for the file's own top level. */
  readonly path: readonly string[];
  /** The pickled network the tensors belong to, if it is one. */
  readonly module: Instance | undefined;
}

/** @param root what the file's pickle holds. Refuses when there are no tensors, or two sets of them to choose from. */
export function findCheckpoint(root: Value): Checkpoint {
  const found = search(root, [], new Set());
  if (found) return found;
  const keys = root instanceof Map ? [...root.keys()].map((key) => describe(key)).slice(0, 10) : [];
  const what = keys.length > 0 ? `a dictionary with ${keys.join(', ')}` : describe(root);
  return refuse(`it holds no weights, but ${what}`, 'Save the state_dict() of the network.');
}

/** @param seen dictionaries already searched: one may be in several places, or in itself */
function search(value: Value, path: readonly string[], seen: Set<Value>): Checkpoint | undefined {
  if (isModule(value)) return { tensors: stateDictOf(value), path, module: value };
  if (!(value instanceof Map) || path.length > 3 || seen.has(value)) return undefined;
  seen.add(value);
  for (const key of usualKeys) {
    const found = search(value.get(key) ?? null, [...path, key], seen);
    if (found) return found;
  }
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of value) {
    if (typeof name === 'string' && tensor instanceof TorchTensor) tensors.set(name, tensor);
  }
  if (tensors.size > 0) return { tensors, path, module: undefined };
  return onlyOne(value, path, seen);
}

/** Under an unusual key: taken when there is no doubt which. */
function onlyOne(value: Map<Value, Value>, path: readonly string[], seen: Set<Value>): Checkpoint | undefined {
  const found: Checkpoint[] = [];
  for (const [key, inner] of value) {
    const candidate =
      typeof key === 'string' && !usualKeys.includes(key) ? search(inner, [...path, key], seen) : undefined;
    if (candidate) found.push(candidate);
    if (found.length > 1) {
      const names = found.map((one) => one.path.join('.')).join(' and ');
      refuse(`it holds several sets of weights, ${names}`, 'Save the one you need on its own.');
    }
  }
  return found[0];
}
