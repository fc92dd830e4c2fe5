/**
 * PyTorch's tensors as a pickle describes them: a view (offset, shape, strides) of a storage whose bytes are elsewhere.
 * The description is checked when it is made; `materialize` in copy.ts makes numbers of it.
 */
import { describe, Foreign, type Value } from '../pickle/values.ts';
import { refuse } from '../refusal.ts';
import { checkedSize, type Dtype, itemSize } from '../stored-tensor.ts';

/** A run of numbers that several tensors may look at. */
export class TorchStorage extends Foreign {
  readonly key: string;
  readonly dtype: Dtype;
  /** Numbers of `dtype` that the file says it holds. */
  readonly count: number;
  /** Set when the bytes are found; exactly `byteLength` of them. */
  bytes: Uint8Array | undefined;

  constructor(key: string, dtype: Dtype, count: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.count = count;
  }

  get byteLength(): number {
    return this.count * itemSize(this.dtype);
  }
}

export class TorchTensor extends Foreign {
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  /** In numbers of `dtype`, as are the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly size: number;

  constructor(
    storage: TorchStorage,
    dtype: Dtype,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    super();
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
    this.size = checkedSize(shape, 'a tensor');
    checkView(this);
  }
}

/** A storage from what a file says about it. */
export function storageFrom(key: Value, dtype: Dtype, count: Value): TorchStorage {
  if (typeof key !== 'string') refuse(`a storage has the name ${describe(key)}`);
  const numbers = checkedSize([count], `storage ${key}`);
  if (!Number.isSafeInteger(numbers * itemSize(dtype))) refuse(`storage ${key} claims ${numbers} numbers`);
  return new TorchStorage(key, dtype, numbers);
}

/** A tensor from what a file says about it; `dtype` differs from the storage's own where that is untyped. */
export function tensorFrom(storage: Value, offset: Value, shape: Value, strides: Value, dtype?: Dtype): TorchTensor {
  if (!(storage instanceof TorchStorage)) refuse(`a tensor has ${describe(storage)} for its storage`);
  if (!Array.isArray(shape) || !Array.isArray(strides)) refuse('a tensor has no shape or no strides');
  checkedSize(shape, 'a tensor');
  if (strides.length !== shape.length) refuse(`a tensor has ${shape.length} sizes and ${strides.length} strides`);
  const dims = shape as number[];
  return new TorchTensor(storage, dtype ?? storage.dtype, natural(offset, 'offset'), [...dims], strides.map(stride));
}

const stride = (value: Value) => natural(value, 'stride');

function natural(value: Value, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    refuse(`a tensor has the ${what} ${describe(value)}`);
  }
  return value;
}

/** Every number the view can reach lies within its storage. */
function checkView({ storage, dtype, offset, shape, strides, size }: TorchTensor): void {
  if (size === 0) return;
  const count = Math.floor(storage.byteLength / itemSize(dtype));
  // Beyond 2^53 the sum is rounded, but then it is far above any count.
  const last = shape.reduce((index, dim, axis) => index + (dim - 1) * strides[axis], offset);
  if (last >= count) {
    const view = `shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset}`;
    refuse(`a tensor with ${view} reaches past its storage of ${count} numbers`);
  }
}
