/** State dicts as torch.save writes them, given tensors by name. */
import type { TensorData } from '../../../backend/graph/tensor-data.ts';
import { dict, float32Bytes, tensor, torchZip } from './files.ts';

export type State = ReadonlyMap<string, TensorData>;
/** Pickle instructions, a list of tensors or of state dicts, tensors by name, or a dictionary of these. */
export type Tree = string | readonly TensorData[] | readonly State[] | State | { readonly [key: string]: Tree };

/** The bytes of a checkpoint of nested dictionaries; each tensor has a storage of its own. */
export function checkpoint(tree: Tree): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  return torchZip(instructions(tree, storages), storages);
}

function instructions(tree: Tree, storages: Record<string, Uint8Array>): string {
  if (typeof tree === 'string') return tree;
  if (Array.isArray(tree)) {
    const items = tree.map((item) => (isTensor(item) ? tensorOf(item, storages) : instructions(item, storages)));
    return `](${items.join('')}e`;
  }
  const entries = tree instanceof Map ? [...tree] : Object.entries(tree);
  const made = entries.map(([name, value]): [string, string] => [
    name,
    isTensor(value) ? tensorOf(value, storages) : instructions(value as Tree, storages),
  ]);
  return dict(Object.fromEntries(made));
}

function isTensor(value: unknown): value is TensorData {
  return typeof value === 'object' && value !== null && 'data' in value && value.data instanceof Float32Array;
}

function tensorOf({ shape, data }: TensorData, storages: Record<string, Uint8Array>): string {
  const key = String(Object.keys(storages).length);
  storages[key] = float32Bytes([...data]);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return tensor({ key, count: data.length, shape, strides });
}

/** The same tensors under longer names. */
export const under = (prefix: string, state: State): State =>
  new Map(Array.from(state, ([name, value]) => [prefix + name, value]));

export const scaled = (state: State, factor: number): State =>
  new Map(Array.from(state, ([name, { shape, data }]) => [name, { shape, data: data.map((x) => x * factor) }]));
