/**
 * What runs a graph on a device. Contract: tensors a program returns stay on the device until they are read or
 * disposed, may be fed to any program of the same engine, and are never changed by a later run. Feeds are only read.
 */
import type { Graph } from '../graph/graph.ts';
import type { HalfData, TensorData } from '../graph/tensor-data.ts';

export interface Engine {
  /** Which device this is, for people: 'cpu (2 threads)', 'webgpu', ... */
  readonly device: string;
  /** Turns a graph into a program. Throws UserError('device') when the device cannot run it. */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>;
  /** Puts numbers on the device. Halves are what a graph's `halfInput` is fed; `holdsHalves` says whether a device has them. */
  upload(value: TensorData | HalfData): DeviceTensor;
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
}

export interface DeviceTensor {
  readonly shape: readonly number[];
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

export interface Program {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs once. Every input must be fed with its declared shape; returns every output. */
  run(feeds: Readonly<Record<string, Feed>>): Promise<Record<string, DeviceTensor>>;
  dispose(): Promise<void>;
}

/** Whether a feed already lives on the device. */
export function isDeviceTensor(feed: Feed): feed is DeviceTensor {
  return 'read' in feed;
}
