/** The functions and classes of PyTorch that weights are built with. */
import { type Budget, Callable, Constant, describe, Instance, type Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import { TorchDtype, torchConstants } from './names.ts';
import { type TorchStorage, TorchTensor, tensorFrom } from './tensor.ts';

/** Layers that a pickled network may contain; only their parameters, buffers and sub-modules are looked at. */
const modules = [
  'container.ModuleDict',
  'container.ModuleList',
  'container.ParameterDict',
  'container.ParameterList',
  'container.Sequential',
  'activation.GELU',
  'activation.ReLU',
  'activation.SiLU',
  'batchnorm.BatchNorm2d',
  'conv.Conv2d',
  'dropout.Dropout',
  'linear.Identity',
  'linear.Linear',
  'normalization.GroupNorm',
  'normalization.LayerNorm',
  'pooling.AvgPool2d',
  'pooling.MaxPool2d',
  'sparse.Embedding',
].map((name) => `torch.nn.modules.${name}`);

const functions: Record<string, Callable['call']> = {
  // storage, offset, size, strides
  'torch._utils._rebuild_tensor': ([storage, offset, size, strides]) => tensor(storage, offset, size, strides),
  // ..., requires_grad, backward_hooks, metadata
  'torch._utils._rebuild_tensor_v2': ([storage, offset, size, strides, , , metadata]) => {
    refuseViews(metadata);
    return tensor(storage, offset, size, strides);
  },
  // ..., requires_grad, backward_hooks, dtype, metadata
  'torch._utils._rebuild_tensor_v3': ([storage, offset, size, strides, , , dtype, metadata]) => {
    if (!(dtype instanceof TorchDtype)) refuse(`a tensor has the dtype ${describe(dtype)}`);
    refuseViews(metadata);
    return tensor(storage, offset, size, strides, dtype);
  },
  'torch._utils._rebuild_parameter': ([data]) => existing(data),
  'torch._utils._rebuild_parameter_with_state': ([data]) => existing(data),
  // function, type, arguments, attributes
  'torch._tensor._rebuild_from_type_v2': ([rebuild, , args], budget) => {
    if (!(rebuild instanceof Callable) || !Array.isArray(args)) refuse(`a tensor is made by ${describe(rebuild)}`);
    if (!rebuild.name.startsWith('torch._utils._rebuild_')) refuse(`a tensor is made by ${rebuild.name}`);
    return rebuild.call(args, budget);
  },
  'torch.nn.parameter.Parameter': ([data]) => existing(data),
  'torch.Size': ([sizes = []]) => sizes,
  'torch.device': ([kind = null]) => kind,
};

/** All but the function that reads a storage out of bytes, which depends on the reader. */
export const torchGlobals: [string, Value][] = [
  ...Object.entries(functions).map(([name, call]): [string, Value] => [name, new Callable(name, call)]),
  ...modules.map((name): [string, Value] => [name, new Callable(name, () => new Instance(name))]),
  ...torchConstants,
  ['torch.Tensor', new Constant('torch.Tensor', null)],
];

export type LoadStorage = (bytes: Uint8Array, budget: Budget) => TorchStorage;

/** The name under which plain pickles keep each storage as bytes of its own. */
export const loadFromBytes = 'torch.storage._load_from_bytes';

export function storageLoader(load: LoadStorage): Callable {
  return new Callable(loadFromBytes, ([bytes], budget) => {
    if (!(bytes instanceof Uint8Array)) refuse(`a storage is kept in ${describe(bytes)}`);
    return load(bytes, budget);
  });
}

function tensor(
  storage: Value = null,
  offset: Value = null,
  size: Value = null,
  strides: Value = null,
  dtype?: TorchDtype,
) {
  return tensorFrom(storage, offset, size, strides, dtype?.value);
}

function existing(data: Value = null): TorchTensor {
  return data instanceof TorchTensor ? data : refuse(`a parameter is made of ${describe(data)}`);
}

/** Lazily negated or conjugated tensors: their storage holds other numbers than the tensor. */
function refuseViews(metadata: Value | undefined): void {
  if (!(metadata instanceof Map)) return;
  const lazy = ['neg', 'conj'].find((key) => metadata.get(key) === true);
  if (lazy) refuse(`a tensor is a lazy ${lazy} view`, `Save it after resolve_${lazy}().`);
}
