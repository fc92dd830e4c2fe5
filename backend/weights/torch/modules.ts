/**
 * The state dict of a pickled network: the names that PyTorch's `Module.state_dict()` would give its parameters and
 * persistent buffers, in the same order.
 */
import { Instance, type Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import { TorchTensor } from './tensor.ts';

const deepest = 100;
const longestName = 2000;
/** Modules that several others share are visited again under each name; a model has a few hundred. */
const mostModules = 100_000;

/** Whether the object looks like a PyTorch module. */
export function isModule(value: Value | undefined): value is Instance {
  return value instanceof Instance && value.attributes.get('_parameters') instanceof Map;
}

export function stateDictOf(module: Instance): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let visited = 0;
  const visit = (current: Instance, prefix: string, depth: number) => {
    if (++visited > mostModules || depth > deepest) refuse('its network is nested without end');
    const transient = current.attributes.get('_non_persistent_buffers_set');
    for (const [name, tensor] of members(current, '_parameters')) add(prefix + name, tensor);
    for (const [name, tensor] of members(current, '_buffers')) {
      if (!(transient instanceof Set && transient.has(name))) add(prefix + name, tensor);
    }
    for (const [name, child] of members(current, '_modules')) {
      if (isModule(child)) visit(child, `${prefix}${name}.`, depth + 1);
      else if (child !== null) refuse(`its module ${prefix}${name} is none that can be read`);
    }
  };
  const add = (name: string, tensor: Value) => {
    if (name.length > longestName) refuse('it has a tensor name without end');
    if (tensor instanceof TorchTensor) tensors.set(name, tensor);
    else if (tensor !== null) refuse(`its parameter ${name} is no tensor`);
  };
  visit(module, '', 0);
  return tensors;
}

function members(module: Instance, key: string): [string, Value][] {
  const found = module.attributes.get(key);
  if (!(found instanceof Map)) return [];
  return [...found].filter((entry): entry is [string, Value] => typeof entry[0] === 'string');
}
