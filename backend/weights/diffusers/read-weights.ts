/**
 * The weights of one network from one or several files, as float32, with what the network expects checked before the bulk
 * is read. safetensors are read tensor by tensor, so that a component is in memory once; a tensor of another dtype is
 * let go of as soon as it is converted.
 */
import path from 'node:path';
import type { TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { type WeightsFile, withWeightsFile } from '../files.ts';
import { fittingSet, underNetworkNames } from '../fitting.ts';
import { namingFile } from '../refusal.ts';
import { readHeader } from '../safetensors-header.ts';
import { selectTensors } from '../select.ts';
import { sniff, sniffLength } from '../sniff.ts';
import { type Dtype, type StoredTensor, storedTensor, toFloat32 } from '../stored-tensor.ts';
import { readPickled, readTorchZip } from '../torch/read.ts';
import type { SetPath } from '../weight-sets.ts';
import type { Component } from './components.ts';
import { weightFilesOf } from './weight-files.ts';

/** Shapes by name, in the order of the network's layout. */
export type ExpectedTensors = ReadonlyMap<string, readonly number[]>;

/** A component's weights; `variant` as `weightFilesOf` takes it. Errors as `readNetworkWeights`. */
export async function readComponentWeights(
  component: Component,
  expected: ExpectedTensors,
  variant?: string,
): Promise<Map<string, TensorData>> {
  const { files } = weightFilesOf(component, variant);
  return readNetworkWeights(files, expected, path.join(component.folder.path, component.name));
}

/**
 * Reads the files of one network.
 * @param what what errors call it
 * @throws UserError('weights') for damaged or refused files, missing, unexpected and mis-shaped tensors (the first are
 *   named), NaN and infinity
 */
export async function readNetworkWeights(
  files: readonly string[],
  expected: ExpectedTensors,
  what: string,
): Promise<Map<string, TensorData>> {
  return (await readKeyedWeights(files, expected, what)).weights;
}

export interface KeyedWeights {
  readonly weights: Map<string, TensorData>;
  /** The keys that led there, '' where the weights were all that the files hold. */
  readonly key: string;
  /** Those of other sets that would have fitted as well. */
  readonly others: readonly string[];
}

/**
 * `readNetworkWeights` of files that may hold several sets of such weights: an average is taken before what it is the average of.
 * @param key the keys that lead to another set; see `chooseSet`
 */
export async function readKeyedWeights(
  files: readonly string[],
  expected: ExpectedTensors,
  what: string,
  key?: string,
): Promise<KeyedWeights> {
  const contents: FileContent[] = [];
  for (const file of files) contents.push(await look(file, expected, key));
  const owners = new Map<string, Owner>();
  for (const content of contents) {
    for (const [name, { shape, dtype }] of content.tensors) {
      if (owners.has(name)) throw new UserError('weights', `${what}: ${name} is in two files`, 'Download it again.');
      owners.set(name, { name, shape, dtype, content });
    }
  }
  const { path: outer = [], others } = contents[0] ?? {};
  const named = namingFile(what, () => underNetworkNames(owners, expected, outer, key, others));
  const hint = 'Check that the weights and config.json belong together.';
  const selected = selectTensors(named.tensors, expected, what, { ignore: () => false, hint });
  return { weights: await readSelected(selected, contents), key: named.key, others: named.others };
}

interface Owner {
  /** In the file. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly content: FileContent;
}

/** What a file holds, looked at before anything large is read. */
interface FileContent {
  readonly file: string;
  /** The keys that lead to what was taken of it. */
  readonly path: SetPath;
  readonly others: readonly SetPath[];
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly dtype: Dtype }>;
  /** Calls `take` with each wanted tensor, one after the other. */
  read(wanted: ReadonlySet<string>, take: (name: string, tensor: StoredTensor) => void): Promise<void>;
}

async function readSelected(
  selected: ReadonlyMap<string, Owner>,
  contents: readonly FileContent[],
): Promise<Map<string, TensorData>> {
  const read = new Map<Owner['name'], TensorData>();
  for (const content of contents) {
    const owned = [...selected.values()].filter((owner) => owner.content === content);
    await content.read(new Set(owned.map(({ name }) => name)), (name, tensor) => {
      const value = toFloat32(tensor);
      refuseBadNumbers(value, `${content.file}: ${name}`);
      read.set(name, value);
    });
  }
  return new Map(Array.from(selected, ([inNetwork, { name }]) => [inNetwork, read.get(name)!]));
}

function look(file: string, expected: ExpectedTensors, key?: string): Promise<FileContent> {
  return withWeightsFile(file, async (open) => {
    const kind = sniff(await open.read(0, Math.min(sniffLength, open.size)), open.size);
    if (kind === 'safetensors') return lookAtSafetensors(open);
    const choose = fittingSet(expected, key);
    const read = kind === 'zip' ? await readTorchZip(open, choose) : await readPickled(open, choose);
    const { tensors, path, others } = read;
    return {
      ...{ file, path, others },
      tensors: new Map(Array.from(tensors, ([name, { shape, dtype }]) => [name, { shape, dtype }])),
      async read(wanted, take) {
        for (const [name, tensor] of tensors) {
          tensors.delete(name);
          if (wanted.has(name)) take(name, tensor);
        }
      },
    };
  });
}

async function lookAtSafetensors(open: WeightsFile): Promise<FileContent> {
  const { start, entries } = await readHeader(open);
  return {
    ...{ file: open.path, path: [], others: [] },
    tensors: new Map(entries.map(({ name, shape, dtype }) => [name, { shape, dtype }])),
    read: (wanted, take) =>
      withWeightsFile(open.path, async (file) => {
        for (const { name, dtype, shape, begin, end } of entries) {
          if (!wanted.has(name)) continue;
          const { buffer } = await file.read(start + begin, end - begin);
          take(name, storedTensor(dtype, shape, buffer));
        }
      }),
  };
}

function refuseBadNumbers({ data }: TensorData, what: string): void {
  // The sum of all x - x is 0 exactly when every x is finite; this reads 10^9 numbers in about a second.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  if (sum === 0) return;
  const bad = data.find((value) => !Number.isFinite(value));
  throw new UserError('weights', `${what} holds ${bad}`, 'The file is damaged: fetch it again.');
}
