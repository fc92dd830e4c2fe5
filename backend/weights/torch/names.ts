/** The storage types and dtypes that PyTorch files mention, and what they are called in safetensors. */
import { Constant } from '../pickle/values.ts';
import type { Dtype } from '../stored-tensor.ts';

/** What a storage holds; an untyped one is counted in bytes. */
export class StorageType extends Constant<Dtype> {}
export class TorchDtype extends Constant<Dtype> {}

const storageTypes: Record<string, Dtype> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  UntypedStorage: 'U8',
};

const dtypeNames: Record<string, Dtype> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

/** Every way to write them: [full name, value]. */
export const torchConstants: [string, StorageType | TorchDtype][] = [
  ...Object.entries(storageTypes).flatMap(([name, dtype]) =>
    ['torch', 'torch.cuda', 'torch.storage'].map((module): [string, StorageType] => [
      `${module}.${name}`,
      new StorageType(`${module}.${name}`, dtype),
    ]),
  ),
  ...Object.entries(dtypeNames).map(([name, dtype]): [string, TorchDtype] => [
    `torch.${name}`,
    new TorchDtype(`torch.${name}`, dtype),
  ]),
];
