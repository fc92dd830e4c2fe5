/**
 * A network's parameters live in one flat buffer: the optimizer, clipping, EMA and the hand-over between programs then
 * handle one tensor instead of hundreds. A layout says where each named parameter lies in it.
 *
 * Networks are functions of a `ParameterSource`. Run once with a collecting source they declare their parameters; run
 * with a flat tensor or with constants they use them. There is no second list of names to keep in step.
 */

import { Graph, type Shape, type Tensor } from './graph.ts';
import { floatsToHalves } from './half.ts';
import { concat, reshape, slice } from './ops/index.ts';
import { sizeOf, type TensorData } from './tensor-data.ts';

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

export interface ParameterLayout {
  /** Trained parameters first, then the fixed ones. */
  readonly entries: readonly ParameterEntry[];
  /** Numbers in the flat buffer. */
  readonly size: number;
  /** How many of them, from the start, are trained: the size of a flat gradient. */
  readonly trainedSize: number;
}

/** Runs `build` on a scratch graph and returns the parameters it asked for, in order within their role. */
export function collectParameters(build: (source: ParameterSource) => unknown): ParameterLayout {
  const graph = new Graph();
  const asked: Omit<ParameterEntry, 'offset'>[] = [];
  const tensors = new Map<string, Tensor>();
  build({
    graph,
    get(name, shape, init, role = 'trained') {
      const known = tensors.get(name);
      if (known) return known;
      asked.push({ name, shape, init, role });
      const tensor = graph.input(name, shape);
      tensors.set(name, tensor);
      return tensor;
    },
  });
  const trained = asked.filter(({ role }) => role === 'trained');
  const fixed = asked.filter(({ role }) => role === 'fixed');
  let size = 0;
  const entries = [...trained, ...fixed].map((entry) => {
    const offset = size;
    size += sizeOf(entry.shape);
    return { ...entry, offset };
  });
  return { entries, size, trainedSize: entries[trained.length]?.offset ?? size };
}

/** Parameters as a source, and as the list that gradients are asked for. */
export interface FlatParameters extends ParameterSource {
  /** One tensor per trained layout entry, in order. */
  readonly tensors: readonly Tensor[];
}

/** Reads the parameters out of one flat tensor [layout.size]. */
export function flatParameters(layout: ParameterLayout, flat: Tensor): FlatParameters {
  if (flat.shape.length !== 1 || flat.shape[0] !== layout.size) {
    throw new Error(`flat buffer [${flat.shape}] does not hold ${layout.size} parameters`);
  }
  const tensors = layout.entries.map(({ offset, shape }) =>
    reshape(slice(flat, [offset], [offset + sizeOf(shape)]), shape),
  );
  const byName = new Map(layout.entries.map((entry, i) => [entry.name, tensors[i]]));
  const trained = tensors.filter((_, i) => layout.entries[i].role === 'trained');
  return { graph: flat.graph, tensors: trained, get: (name, shape) => lookUp(byName, name, shape) };
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

/** Gradients (one per trained layout entry) as one flat tensor [layout.trainedSize] in the layout's order. */
export function flatten(tensors: readonly Tensor[]): Tensor {
  return concat(
    tensors.map((tensor) => reshape(tensor, [sizeOf(tensor.shape)])),
    0,
  );
}

/** Named arrays -> flat buffer. Throws when one is missing or has another size. */
export function packParameters(layout: ParameterLayout, values: ReadonlyMap<string, TensorData>): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, shape, offset } of layout.entries) {
    const value = values.get(name);
    if (value?.data.length !== sizeOf(shape)) throw new Error(`parameter '${name}' is missing or mis-sized`);
    flat.set(value.data, offset);
  }
  return flat;
}

/** `packParameters` rounded to float16, an array at a time. */
export function packHalfParameters(layout: ParameterLayout, values: ReadonlyMap<string, TensorData>): Uint16Array {
  const flat = new Uint16Array(layout.size);
  for (const { name, shape, offset } of layout.entries) {
    const value = values.get(name);
    if (value?.data.length !== sizeOf(shape)) throw new Error(`parameter '${name}' is missing or mis-sized`);
    flat.set(floatsToHalves(value.data), offset);
  }
  return flat;
}

/** Flat buffer -> named arrays (views into the buffer). */
export function unpackParameters(layout: ParameterLayout, flat: Float32Array): Map<string, TensorData> {
  return new Map(
    layout.entries.map(({ name, shape, offset }) => [
      name,
      { shape, data: flat.subarray(offset, offset + sizeOf(shape)) },
    ]),
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
