/**
 * A network's parameters live in one flat buffer, or in a few where one would be larger than a device allows: the optimizer,
 * clipping, EMA and the hand-over between programs then handle a tensor or two instead of hundreds. A layout says where each
 * named parameter lies.
 *
 * Networks are functions of a `ParameterSource`. Run once with a collecting source they declare their parameters; run
 * with flat tensors or with constants they use them. There is no second list of names to keep in step.
 */

import { UserError } from '../protocol/errors.ts';
import { Graph, type Shape, type Tensor } from './graph.ts';
import { floatsToHalves } from './half.ts';
import { concat, reshape, slice, widen } from './ops/index.ts';
import { type NumberType, sizeOf, type TensorData } from './tensor-data.ts';

/** How a parameter starts when a network is trained from scratch. */
export type Init =
  | { kind: 'zeros' }
  | { kind: 'ones' }
  /** Uniform in [-bound, bound); Xavier and Kaiming differ only in the bound. */
  | { kind: 'uniform'; bound: number }
  | { kind: 'normal'; std: number };

export type ParameterRole = 'trained' | 'fixed';

export interface ParameterSource {
  readonly graph: Graph;
  /**
   * The parameter called `name`; the same name must always ask for the same shape. A 'fixed' one belongs to the
   * network's state but is not trained: no gradient, no decay (random frequencies, weights of a path that is off).
   */
  get(name: string, shape: Shape, init: Init, role?: ParameterRole): Tensor;
}

export interface ParameterEntry {
  readonly name: string;
  readonly shape: Shape;
  readonly init: Init;
  readonly role: ParameterRole;
  readonly offset: number;
}

/** A buffer of its own: numbers [start, start + size) of all, of which the first `trainedSize` are trained. */
export interface Chunk {
  readonly start: number;
  readonly size: number;
  readonly trainedSize: number;
}

export interface ParameterLayout {
  /** Trained parameters first, then the fixed ones. */
  readonly entries: readonly ParameterEntry[];
  /** Numbers in all. */
  readonly size: number;
  /** How many of them, from the start, are trained: the size of a gradient. */
  readonly trainedSize: number;
  /** At least one; no parameter lies in two. */
  readonly chunks: readonly Chunk[];
}

/** The most bytes of float32 in one chunk, unless a single parameter has more: what WebGPU promises to bind on every device. */
const largestChunk = 2 ** 27;

/** Puts parameters in their places: the trained ones first, each kind in the order given. */
export function layoutOf(
  wanted: readonly Omit<ParameterEntry, 'offset'>[],
  chunkBytes = largestChunk,
): ParameterLayout {
  const trained = wanted.filter(({ role }) => role === 'trained');
  const entries: ParameterEntry[] = [];
  const chunks = [{ start: 0, size: 0, trainedSize: 0 }];
  let size = 0;
  for (const entry of [...trained, ...wanted.filter(({ role }) => role === 'fixed')]) {
    const count = sizeOf(entry.shape);
    let chunk = chunks.at(-1)!;
    if (chunk.size > 0 && 4 * (chunk.size + count) > chunkBytes) {
      chunk = { start: size, size: 0, trainedSize: 0 };
      chunks.push(chunk);
    }
    entries.push({ ...entry, offset: size });
    size += count;
    chunk.size += count;
    if (entry.role === 'trained') chunk.trainedSize += count;
  }
  return { entries, size, trainedSize: entries[trained.length]?.offset ?? size, chunks };
}

/**
 * Runs `build` on a scratch graph and returns the parameters it asked for, in order within their role.
 * @param most throws UserError('weights') as soon as it asks for more
 */
export function collectParameters(
  build: (source: ParameterSource) => unknown,
  most = Number.POSITIVE_INFINITY,
): ParameterLayout {
  const graph = new Graph();
  const asked: Omit<ParameterEntry, 'offset'>[] = [];
  const tensors = new Map<string, Tensor>();
  build({
    graph,
    get(name, shape, init, role = 'trained') {
      const known = tensors.get(name);
      if (known) return known;
      if (asked.length >= most) throw tooMany(most);
      asked.push({ name, shape, init, role });
      const tensor = graph.input(name, shape);
      tensors.set(name, tensor);
      return tensor;
    },
  });
  return layoutOf(asked);
}

function tooMany(most: number): UserError {
  const hint = 'Check that the configuration is the one of these weights; do not trust the file.';
  return new UserError('weights', `the configuration describes a network of more than ${most} tensors`, hint);
}

/** Parameters as a source, and as the list that gradients are asked for. */
export interface FlatParameters extends ParameterSource {
  /** One tensor per trained layout entry, in order. */
  readonly tensors: readonly Tensor[];
}

/** The name of chunk `i` of what is called `name`. */
export const chunkName = (name: string, i: number): string => (i === 0 ? name : `${name}.${i}`);

/** Values by chunk, under the names that graphs have for them. */
export function byChunk<T>(name: string, chunks: readonly T[]): Record<string, T> {
  return Object.fromEntries(chunks.map((chunk, i) => [chunkName(name, i), chunk]));
}

/** Declares flat inputs, one per chunk, and reads the parameters out of them. */
export function parameterInputs(
  graph: Graph,
  name: string,
  layout: ParameterLayout,
  type: NumberType = 'float32',
): FlatParameters {
  return flatParameters(
    layout,
    layout.chunks.map(({ size }, i) => graph.input(chunkName(name, i), [size], type)),
  );
}

/** Reads the parameters, as float32, out of flat tensors of any number type, one per chunk. */
export function flatParameters(layout: ParameterLayout, flats: readonly Tensor[]): FlatParameters {
  layout.chunks.forEach(({ size }, i) => {
    if (flats[i]?.shape.join() === String(size)) return;
    throw new Error(`flat buffer [${flats[i]?.shape}] does not hold ${size} parameters`);
  });
  const tensors = layout.entries.map(({ offset, shape }) => {
    const i = layout.chunks.findLastIndex(({ start }) => start <= offset);
    const from = offset - layout.chunks[i]!.start;
    return reshape(widen(slice(flats[i]!, [from], [from + sizeOf(shape)])), shape);
  });
  const byName = new Map(layout.entries.map((entry, i) => [entry.name, tensors[i]!]));
  const trained = tensors.filter((_, i) => layout.entries[i]!.role === 'trained');
  return { graph: flats[0]!.graph, tensors: trained, get: (name, shape) => lookUp(byName, name, shape) };
}

/** The parameters as constants of the graph: for sampling and export. */
export function constantParameters(graph: Graph, values: ReadonlyMap<string, TensorData>): ParameterSource {
  const made = new Map<string, Tensor>();
  return {
    graph,
    get(name, shape) {
      if (!made.has(name)) {
        const value = values.get(name);
        if (value) made.set(name, graph.constant(value.shape, value.data));
      }
      return lookUp(made, name, shape);
    },
  };
}

function lookUp(tensors: ReadonlyMap<string, Tensor>, name: string, shape: Shape): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`parameter '${name}' is missing`);
  if (tensor.shape.join() !== shape.join()) {
    throw new Error(`parameter '${name}' is [${tensor.shape}] where the network wants [${shape}]`);
  }
  return tensor;
}

/** Declares the outputs `gradient` of gradients, one per trained layout entry: flat, one per chunk that has any. */
export function outputGradient(layout: ParameterLayout, tensors: readonly Tensor[]): void {
  layout.chunks.forEach(({ start, trainedSize }, i) => {
    const own = tensors.filter((_, k) => {
      const { offset } = layout.entries[k]!;
      return offset >= start && offset < start + trainedSize;
    });
    if (own.length > 0) own[0]!.graph.output(chunkName('gradient', i), flatten(own));
  });
}

/** Tensors end to end as one flat one. */
export function flatten(tensors: readonly Tensor[]): Tensor {
  return concat(
    tensors.map((tensor) => reshape(tensor, [sizeOf(tensor.shape)])),
    0,
  );
}

type Range = Pick<Chunk, 'start' | 'size'>;

/** Named arrays -> flat buffer, of a chunk or of all. Throws when one is missing or has another size. */
export function packParameters(
  layout: ParameterLayout,
  values: ReadonlyMap<string, TensorData>,
  range: Range = { start: 0, size: layout.size },
): Float32Array {
  const flat = new Float32Array(range.size);
  eachIn(layout, values, range, (data, at) => flat.set(data, at));
  return flat;
}

/** `packParameters` rounded to float16, an array at a time. */
export function packHalfParameters(
  layout: ParameterLayout,
  values: ReadonlyMap<string, TensorData>,
  range: Range = { start: 0, size: layout.size },
): Uint16Array {
  const flat = new Uint16Array(range.size);
  eachIn(layout, values, range, (data, at) => flat.set(floatsToHalves(data), at));
  return flat;
}

function eachIn(
  { entries }: ParameterLayout,
  values: ReadonlyMap<string, TensorData>,
  { start, size }: Range,
  put: (data: Float32Array, at: number) => void,
): void {
  for (const { name, shape, offset } of entries) {
    if (offset < start || offset >= start + size) continue;
    const value = values.get(name);
    if (value?.data.length !== sizeOf(shape)) throw new Error(`parameter '${name}' is missing or mis-sized`);
    put(value.data, offset - start);
  }
}

/** Flat buffers, one per chunk or one of all -> named arrays (views into them). */
export function unpackParameters(
  { entries, chunks }: ParameterLayout,
  flats: Float32Array | readonly Float32Array[],
): Map<string, TensorData> {
  const whole = flats instanceof Float32Array;
  return new Map(
    entries.map(({ name, shape, offset }) => {
      const i = whole ? 0 : chunks.findLastIndex(({ start }) => start <= offset);
      const from = offset - chunks[i]!.start;
      const data = (whole ? flats : flats[i]!).subarray(from, from + sizeOf(shape));
      return [name, { shape, data }];
    }),
  );
}

/** Starting values from each entry's `init`; `random` yields n numbers, uniform in [0, 1) or standard normal. */
export function initialParameters(
  layout: ParameterLayout,
  random: { rand(n: number): Float32Array; randn(n: number): Float32Array },
): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { shape, init, offset } of layout.entries) {
    const count = sizeOf(shape);
    const target = flat.subarray(offset, offset + count);
    if (init.kind === 'ones') target.fill(1);
    if (init.kind === 'uniform') target.set(random.rand(count).map((u) => (2 * u - 1) * init.bound));
    if (init.kind === 'normal') target.set(random.randn(count).map((z) => z * init.std));
  }
  return flat;
}
