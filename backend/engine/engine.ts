/**
 * What runs a graph on a device. Contract: tensors a program returns stay on the device until they are read or
 * disposed, may be fed to any program of the same engine, and are never changed by a later run. Feeds are only read.
 */
import type { Graph, Shape } from '../graph/graph.ts';
import type { GivenData, HalfData, NumberType, TensorData } from '../graph/tensor-data.ts';
import type { Capabilities } from './capabilities.ts';
import type { Crossings } from './crossings.ts';
import type { Sharing } from './sharing.ts';

export interface Engine {
  /** Which device this is, for people: 'cpu (2 threads)', 'webgpu', ... */
  readonly device: string;
  /** Counts what crosses between host and device; null where nobody counts. */
  readonly crossings: Crossings | null;
  /** What the device has and how much; found once. Never throws: what cannot be tried is not there. */
  capabilities(): Promise<Capabilities>;
  /** Turns a graph into a program. Throws UserError('device') when the device cannot run it. */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>;
  /**
   * Puts numbers on the device. `capabilities` says whether it takes float16. Where the device's memory is the host's it takes numbers
   * that are `GivenData` as they are.
   */
  upload(value: TensorData | HalfData | GivenData): DeviceTensor;
  /**
   * Puts more numbers on the device than the host may hold: slices of at most 64 MB, in order, each let go of before the next
   * one is asked for. Throws when they are fewer or more than `shape` has, and what `slices` throws; nothing is left behind.
   */
  receive(shape: readonly number[], slices: AsyncIterable<Float32Array>): Promise<DeviceTensor>;
  dispose(): Promise<void>;
}

export interface CompileOptions {
  /** Shown in logs and errors. */
  name?: string;
  /** How the graph's batch may be shared out among runs side by side, where that is faster; the program is the same from outside. */
  sharing?: Sharing | undefined;
}

/** What an input takes and an output gives. */
export interface Declared {
  readonly shape: Shape;
  readonly type: NumberType;
}

export interface DeviceTensor extends Declared {
  /** The numbers on the host, to be read only: on the CPU they may be the tensor itself. */
  read(): Promise<Float32Array>;
  /**
   * The same, at most so many numbers at a time, in order: no more than these are brought to a host whose memory is not the
   * device's. To be read only, and only until the next slice is asked for.
   */
  slices(numbers: number): AsyncIterable<Float32Array>;
  /** Frees the device memory; using the tensor afterwards is an error. */
  dispose(): void;
}

/** A feed is either already on the device or uploaded for this run. */
export type Feed = DeviceTensor | TensorData;

export interface RunOptions {
  /** Aborted when nobody wants the results any more: an engine that can ends the run in the middle, others do not begin it. */
  readonly signal?: AbortSignal | undefined;
}

/** The run was not begun or was ended in the middle, as its signal asked for, or a program was given up while it was compiled. It left nothing behind. */
export class RunEnded extends Error {
  static throwIf(signal: AbortSignal | undefined, program: string): void {
    if (signal?.aborted) throw new RunEnded(`program '${program}' was ended before it was done`);
  }
}

export interface Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  /**
   * Runs once. Every input must be fed with its declared shape and number type; returns every output. Numbers of the host must not
   * change before that. Throws RunEnded.
   */
  run(feeds: Readonly<Record<string, Feed>>, options?: RunOptions): Promise<Record<string, DeviceTensor>>;
  dispose(): Promise<void>;
}

/** Whether a feed already lives on the device. */
export function isDeviceTensor(feed: Feed): feed is DeviceTensor {
  return 'read' in feed;
}

/** Shapes and number types by name, without the graph that they come from and its constants. */
export const declared = (tensors: ReadonlyMap<string, Declared>): ReadonlyMap<string, Declared> =>
  new Map(Array.from(tensors, ([name, { shape, type }]) => [name, { shape, type }]));

/** The feed of an input. Throws an Error that names program and input when it is missing or something else than declared. */
export function checkedFeed(program: string, name: string, { shape, type }: Declared, feed: Feed | undefined): Feed {
  if (!feed) throw new Error(`program '${program}' needs input '${name}' [${shape}]`);
  if (feed.shape.join() !== shape.join()) {
    throw new Error(`program '${program}': input '${name}' is [${feed.shape}] where [${shape}] is declared`);
  }
  const fed = isDeviceTensor(feed) ? feed.type : 'float32';
  if (fed !== type) throw new Error(`program '${program}': input '${name}' is ${fed} where ${type} is declared`);
  return feed;
}
