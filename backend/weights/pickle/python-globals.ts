/** Python's own containers, NumPy's scalars, and the few plain classes that checkpoints keep settings in. */
import { refuse } from '../refusal.ts';
import { type Budget, Callable, Constant, describe, Instance, type Value } from './values.ts';

const functions: Record<string, Callable['call']> = {
  'collections.OrderedDict': dictionary,
  'collections.Counter': dictionary,
  'collections.defaultdict': () => new Map(),
  'builtins.dict': dictionary,
  'dnnlib.util.EasyDict': dictionary,
  'easydict.EasyDict': dictionary,
  // Lightning's hyper_parameters.
  ...Object.fromEntries(
    [
      'pytorch_lightning.utilities.parsing',
      'lightning.pytorch.utilities.parsing',
      'lightning_fabric.utilities.data',
      'lightning.fabric.utilities.data',
    ].map((module) => [`${module}.AttributeDict`, dictionary]),
  ),
  'builtins.list': ([items = []], budget) => members(items, budget),
  'collections.deque': ([items = []], budget) => members(items, budget),
  'builtins.tuple': ([items = []], budget) => members(items, budget),
  'builtins.set': ([items = []], budget) => new Set(members(items, budget)),
  'builtins.frozenset': ([items = []], budget) => new Set(members(items, budget)),
  'builtins.bytearray': ([content = new Uint8Array(0), encoding], budget) =>
    content instanceof Uint8Array ? content : latin1(content, encoding, budget),
  // How protocols 0 to 2 write bytes.
  '_codecs.encode': ([text = null, encoding], budget) => latin1(text, encoding, budget),
  // How protocols 0 and 1 write objects: class, base, state.
  'copyreg._reconstructor': ([type = null], budget) =>
    type instanceof Callable ? type.call([], budget) : refuse(`an object is made of ${describe(type)}`),
  ...Object.fromEntries(settings().map((name) => [name, () => new Instance(name)])),
  'numpy.dtype': ([code = null]) => new NumpyDtype(code),
  'numpy.core.multiarray.scalar': ([dtype, bytes]) => numpyScalar(dtype, bytes),
  // Arrays are random states and statistics here, never weights: known, and dropped.
  'numpy.core.multiarray._reconstruct': () => new Instance('numpy.ndarray'),
};

/** Classes of settings that stand beside weights, as Lightning and Hydra save them: kept as what was pickled of them. */
function settings(): string[] {
  const modules = {
    argparse: ['Namespace'],
    types: ['SimpleNamespace'],
    pathlib: ['Path', 'PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath'],
    'pathlib._local': ['Path', 'PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath'],
    datetime: ['datetime', 'date', 'time', 'timedelta', 'timezone'],
    uuid: ['UUID'],
    'omegaconf.dictconfig': ['DictConfig'],
    'omegaconf.listconfig': ['ListConfig'],
    'omegaconf.base': ['ContainerMetadata', 'Metadata'],
    'omegaconf.nodes': ['AnyNode', 'StringNode', 'IntegerNode', 'FloatNode', 'BooleanNode', 'BytesNode', 'PathNode'],
  };
  return Object.entries(modules).flatMap(([module, classes]) => classes.map((name) => `${module}.${name}`));
}

/** Other names for the same things: Python 2, NumPy 2. */
const aliases: Record<string, string> = {
  '__builtin__.': 'builtins.',
  'copy_reg.': 'copyreg.',
  'numpy._core.': 'numpy.core.',
};

const callables = Object.entries(functions).map(([name, call]): [string, Value] => [name, new Callable(name, call)]);
const names = ['object', 'int', 'float', 'str', 'bool', 'bytes'].map((name) => `builtins.${name}`);
const constants = [...names, 'typing.Any', 'typing.Dict', 'typing.List', 'numpy.ndarray'].map(
  (name): [string, Value] => [name, new Constant(name, null)],
);

export const pythonGlobals: [string, Value][] = [...callables, ...constants].flatMap(([name, value]) => [
  [name, value],
  ...Object.entries(aliases)
    .filter(([, usual]) => name.startsWith(usual))
    .map(([alias, usual]): [string, Value] => [alias + name.slice(usual.length), value]),
]);

function dictionary([content]: readonly Value[], budget: Budget): Map<Value, Value> {
  if (content === undefined) return new Map();
  if (content instanceof Map) {
    budget.spend(content.size);
    return new Map(content);
  }
  return new Map(
    members(content, budget).map((pair): [Value, Value] => {
      if (!Array.isArray(pair) || pair.length !== 2) refuse(`a dictionary is made of ${describe(pair)}`);
      return [pair[0], pair[1]];
    }),
  );
}

/** A copy: the original may grow later. */
function members(items: Value, budget: Budget): Value[] {
  if (!Array.isArray(items) && !(items instanceof Set)) refuse(`a collection is made of ${describe(items)}`);
  budget.spend(Array.isArray(items) ? items.length : items.size);
  return [...items];
}

function latin1(text: Value, encoding: Value | undefined, budget: Budget): Uint8Array {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    refuse(`bytes are made of ${describe(text)} in the encoding ${describe(encoding)}`);
  }
  budget.spend(Math.ceil(text.length / 16));
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** numpy.dtype('f8', ...); its state says in which byte order its numbers are. */
class NumpyDtype extends Instance {
  readonly code: string;
  littleEndian = true;

  constructor(code: Value) {
    super('numpy.dtype');
    this.code = typeof code === 'string' ? code : '';
  }

  override setState(state: Value): void {
    if (Array.isArray(state)) this.littleEndian = state[1] !== '>';
  }
}

const readers: Record<string, (view: DataView, littleEndian: boolean) => number | bigint | boolean> = {
  b1: (view) => view.getUint8(0) !== 0,
  i1: (view) => view.getInt8(0),
  u1: (view) => view.getUint8(0),
  i2: (view, little) => view.getInt16(0, little),
  u2: (view, little) => view.getUint16(0, little),
  i4: (view, little) => view.getInt32(0, little),
  u4: (view, little) => view.getUint32(0, little),
  i8: (view, little) => narrowed(view.getBigInt64(0, little)),
  u8: (view, little) => narrowed(view.getBigUint64(0, little)),
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
};

function numpyScalar(dtype: Value | undefined, bytes: Value | undefined): Value {
  const code = dtype instanceof NumpyDtype ? dtype.code : '';
  const size = Number(code[1]);
  if (!(dtype instanceof NumpyDtype) || !Object.hasOwn(readers, code)) refuse(`a NumPy scalar has the type '${code}'`);
  if (!(bytes instanceof Uint8Array) || bytes.length !== size) refuse(`a NumPy scalar '${code}' is ${describe(bytes)}`);
  return readers[code](new DataView(bytes.buffer, bytes.byteOffset, size), dtype.littleEndian);
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
