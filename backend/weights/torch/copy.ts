/**
 * Copies tensors out of their storages into arrays of their own, contiguous, whatever their strides were: transposed,
 * expanded and overlapping views come out as the values PyTorch would print.
 */
import { allocate, refuse } from '../refusal.ts';
import { itemSize, type StoredTensor, storedTensor } from '../stored-tensor.ts';
import type { TorchStorage, TorchTensor } from './tensor.ts';

/**
 * The bytes that the tensors of one file may take. Views let a small file ask for any amount (an expanded tensor, one
 * storage under many names); a real model needs about its file's size.
 */
export class CopyBudget {
  private left: number;
  private readonly fileSize: number;

  constructor(fileSize: number) {
    this.fileSize = fileSize;
    this.left = 4 * fileSize + 2 ** 26;
  }

  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) {
      refuse(
        `its tensors would take far more memory than the file's ${this.fileSize} bytes`,
        'Save them as contiguous tensors if the file is your own; otherwise do not trust it.',
      );
    }
  }
}

/** The tensor's values in row-major order. Its storage's bytes must have been found. */
export function materialize(tensor: TorchTensor, budget: CopyBudget): StoredTensor {
  const { storage, dtype, shape, size } = tensor;
  const width = itemSize(dtype);
  budget.spend(size * width);
  const target = allocate(size * width, `a tensor [${shape.join(', ')}]`);
  if (size > 0) {
    const source = bytesOf(storage);
    if (isContiguous(tensor)) {
      const start = tensor.offset * width;
      new Uint8Array(target).set(source.subarray(start, start + size * width));
    } else {
      copyStrided(aligned(storage, source, width, budget), target, tensor, width);
    }
  }
  return storedTensor(dtype, shape, target);
}

function bytesOf({ bytes, byteLength, key }: TorchStorage): Uint8Array {
  if (!bytes) refuse(`storage ${key} is not in the file`);
  if (bytes.length !== byteLength) refuse(`storage ${key} has ${bytes.length} bytes, not the ${byteLength} it claims`);
  return bytes;
}

function isContiguous({ shape, strides }: TorchTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** The bytes at an address that typed arrays accept; the copy, if one is needed, is made once per storage. */
function aligned(storage: TorchStorage, bytes: Uint8Array, width: number, budget: CopyBudget): Uint8Array {
  if (bytes.byteOffset % width === 0) return bytes;
  budget.spend(bytes.length);
  storage.bytes = Uint8Array.from(bytes);
  return storage.bytes;
}

function copyStrided(source: Uint8Array, target: ArrayBuffer, tensor: TorchTensor, width: number): void {
  const view = <A>(Items: new (buffer: ArrayBufferLike, offset: number, length: number) => A) =>
    new Items(source.buffer, source.byteOffset, Math.floor(source.length / width));
  if (width === 1) gather(view(Uint8Array), new Uint8Array(target), tensor);
  else if (width === 2) gather(view(Uint16Array), new Uint16Array(target), tensor);
  else if (width === 4) gather(view(Uint32Array), new Uint32Array(target), tensor);
  else gather(view(BigUint64Array), new BigUint64Array(target), tensor);
}

/** Walks the target in order and an index through the source, like an odometer. Integer items keep every bit. */
function gather<T>(source: ArrayLike<T>, target: { [index: number]: T }, tensor: TorchTensor): void {
  const { shape, strides, offset, size } = tensor;
  const position = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < size; to++) {
    target[to] = source[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++position[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
}
