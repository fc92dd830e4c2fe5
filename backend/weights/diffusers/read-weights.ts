/**
 * The weights of one network from one or several files, as float32, with what the network expects checked before the bulk
 * is read. Numbers of safetensors are read as they are taken, piece by piece; a tensor of another file is let go of as soon as it is
 * taken.
 */
import path from 'node:path';
import { areFinite } from '../../graph/half.ts';
import { ranges, type TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import { type ArraySource, collect, sliceSize } from '../array-source.ts';
import { type WeightsFile, withWeightsFile } from '../files.ts';
import { fittingSet, underNetworkNames } from '../fitting.ts';
import { type FloatPiece, FloatReader } from '../float-pieces.ts';
import { namingFile } from '../refusal.ts';
import { readHeader } from '../safetensors-header.ts';
import { selectTensors } from '../select.ts';
import { sniff, sniffLength } from '../sniff.ts';
import { type Dtype, toFloat32 } from '../stored-tensor.ts';
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
  return collected(await openComponentWeights(component, expected, variant), expected);
}

/**
 * The same before numbers are read: each tensor's are read when its slices are asked for, once. In the order in which they lie in their
 * files. NaN and infinity are refused by the slices.
 */
export async function openComponentWeights(
  component: Component,
  expected: ExpectedTensors,
  variant?: string,
): Promise<Map<string, ArraySource>> {
  const { files } = weightFilesOf(component, variant);
  return (await openKeyedWeights(files, expected, path.join(component.folder.path, component.name))).weights;
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

export interface KeyedWeights<T = TensorData> {
  readonly weights: Map<string, T>;
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
  const { weights, ...rest } = await openKeyedWeights(files, expected, what, key);
  return { weights: await collected(weights, expected), ...rest };
}

async function openKeyedWeights(
  files: readonly string[],
  expected: ExpectedTensors,
  what: string,
  key?: string,
): Promise<KeyedWeights<ArraySource>> {
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
  return { weights: sourcesOf(selected, contents), key: named.key, others: named.others };
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
  /** The numbers of one, which may be asked for once. */
  pieces(name: string): AsyncIterable<FloatPiece>;
}

/** In the order of the files. */
function sourcesOf(selected: ReadonlyMap<string, Owner>, contents: readonly FileContent[]): Map<string, ArraySource> {
  const sources = new Map<string, ArraySource>();
  for (const content of contents) {
    const owned = Array.from(selected).filter(([, owner]) => owner.content === content);
    const inNetwork = new Map(owned.map(([inNetwork, { name }]) => [name, inNetwork]));
    for (const [name, { shape }] of content.tensors) {
      const wanted = inNetwork.get(name);
      if (wanted !== undefined) sources.set(wanted, { shape, slices: () => finiteSlices(content, name) });
    }
  }
  return sources;
}

async function* finiteSlices(content: FileContent, name: string): AsyncGenerator<Float32Array> {
  for await (const { numbers, finite } of content.pieces(name)) {
    if (!finite) refuseBadNumber(numbers, `${content.file}: ${name}`);
    yield numbers;
  }
}

/** In the order of the network's layout. */
async function collected(
  sources: ReadonlyMap<string, ArraySource>,
  expected: ExpectedTensors,
): Promise<Map<string, TensorData>> {
  const read = new Map<string, TensorData>();
  for (const [name, source] of sources) read.set(name, await collect(source));
  return new Map(Array.from(expected.keys(), (name) => [name, read.get(name)!]));
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
      async *pieces(name) {
        const { data } = toFloat32(tensors.get(name)!);
        tensors.delete(name);
        for (const [start, end] of ranges(data.length, sliceSize)) {
          const numbers = data.subarray(start, end);
          yield { numbers, finite: areFinite(numbers) };
        }
      },
    };
  });
}

async function lookAtSafetensors(open: WeightsFile): Promise<FileContent> {
  const { start, entries } = await readHeader(open);
  const reader = new FloatReader(open.path);
  const places = new Map(
    entries.map(({ name, dtype, begin, end }) => [name, { dtype, begin: start + begin, end: start + end }]),
  );
  return {
    ...{ file: open.path, path: [], others: [] },
    tensors: new Map(entries.map(({ name, shape, dtype }) => [name, { shape, dtype }])),
    pieces: (name) => reader.pieces(places.get(name)!),
  };
}

function refuseBadNumber(numbers: Float32Array, what: string): never {
  const bad = numbers.find((value) => !Number.isFinite(value));
  throw new UserError('weights', `${what} holds ${bad}`, 'The file is damaged: fetch it again.');
}
