/**
 * The weights of one network from one or several files, as float32, with what the network expects checked before the bulk
 * is read. safetensors are read tensor by tensor, so that a component is in memory once; a tensor of another dtype is
 * let go of as soon as it is converted.
 */
import path from 'node:path';
import type { TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { type WeightsFile, withWeightsFile } from '../files.ts';
import { readHeader } from '../safetensors-header.ts';
import { selectTensors } from '../select.ts';
import { sniff, sniffLength } from '../sniff.ts';
import { type StoredTensor, storedTensor, toFloat32 } from '../stored-tensor.ts';
import { readPickled, readTorchZip } from '../torch/read.ts';
import type { Component } from './components.ts';
import { nameMap } from './names.ts';
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
  const contents: FileContent[] = [];
  for (const file of files) contents.push(await look(file));
  const owners = new Map<string, Owner>();
  for (const content of contents) {
    for (const [name, shape] of content.shapes) {
      if (owners.has(name)) throw new UserError('weights', `${what}: ${name} is in two files`, 'Download it again.');
      owners.set(name, { name, shape, content });
    }
  }
  const names = nameMap(owners.keys(), new Set(expected.keys()));
  const renamed = new Map<string, Owner>();
  for (const [name, inNetwork] of names) renamed.set(inNetwork, owners.get(name)!);
  const hint = 'Check that the weights and config.json belong together.';
  const selected = selectTensors(renamed, expected, what, { ignore: () => false, hint });
  return readSelected(selected, contents);
}

interface Owner {
  /** In the file. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly content: FileContent;
}

/** What a file holds, looked at before anything large is read. */
interface FileContent {
  readonly path: string;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
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
      refuseBadNumbers(value, `${content.path}: ${name}`);
      read.set(name, value);
    });
  }
  return new Map(Array.from(selected, ([inNetwork, { name }]) => [inNetwork, read.get(name)!]));
}

function look(file: string): Promise<FileContent> {
  return withWeightsFile(file, async (open) => {
    const kind = sniff(await open.read(0, Math.min(sniffLength, open.size)), open.size);
    if (kind === 'safetensors') return lookAtSafetensors(open);
    const { tensors } = kind === 'zip' ? await readTorchZip(open) : await readPickled(open);
    return {
      path: file,
      shapes: new Map(Array.from(tensors, ([name, { shape }]) => [name, shape])),
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
    path: open.path,
    shapes: new Map(entries.map(({ name, shape }) => [name, shape])),
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
