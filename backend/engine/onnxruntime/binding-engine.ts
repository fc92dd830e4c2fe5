/**
 * Runs graphs with ONNX Runtime through onnxruntime-node. Where the device has memory of its own (webgpu), what is uploaded and everything a program
 * returns stays there. Both ways lead through Identity programs: their results are in device memory for uploads and in the
 * host's for `read`, because reading a device tensor directly is not safe.
 */
import type * as ort from 'onnxruntime-node';
import type { Graph, Shape } from '../../graph/graph.ts';
import { type LoweredGraph, lowerGraph } from '../../graph/onnx/emit.ts';
import { encodeModel, type OnnxModel } from '../../graph/onnx/proto.ts';
import {
  bytesPerNumber,
  gather,
  type HalfData,
  type NumberType,
  ranges,
  requireCount,
  sizeOf,
  type TensorData,
  typeOf,
} from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Capabilities } from '../capabilities.ts';
import { Crossings, type Direction } from '../crossings.ts';
import {
  type CompileOptions,
  checkedFeed,
  type Declared,
  type DeviceTensor,
  declared,
  type Engine,
  type Feed,
  isDeviceTensor,
  type Program,
  RunEnded,
  type RunOptions,
} from '../engine.ts';
import { keepsResults, ortCapabilities } from './capabilities.ts';
import { channelBlock } from './channel-block.ts';
import { asBits, floatsOf, hostTensor, numberTypeOf } from './host-tensor.ts';
import { intoBlocks, outOfBlocks } from './kernel-blocks.ts';
import type { OrtDevice } from './providers.ts';
import { runtime } from './runtime.ts';
import { cutModel, identityGraph, joinGraph, regroup } from './slices.ts';
import { UploadedTensor } from './uploaded-tensor.ts';

export interface OrtOptions {
  device: OrtDevice;
  /** Threads of the CPU provider; 0 takes one per physical core. */
  threads?: number;
}

/** Opens the device. Throws UserError('device') at the first `compile` if it does not work. */
export function createBindingEngine({ device, threads = 0 }: OrtOptions): Engine {
  return new OrtEngine(device, threads);
}

class OrtEngine implements Engine {
  readonly device: string;
  readonly crossings = new Crossings();
  readonly #provider: OrtDevice;
  readonly #threads: number;
  readonly #programs = new Set<OrtProgram>();
  readonly #readers = new Map<string, Promise<ort.InferenceSession>>();
  readonly #placers = new Map<string, Promise<Program>>();

  constructor(provider: OrtDevice, threads: number) {
    this.#provider = provider;
    this.#threads = threads;
    this.device = provider === 'cpu' && threads > 0 ? `cpu (${threads} threads)` : provider;
  }

  capabilities(): Promise<Capabilities> {
    return ortCapabilities(this.#provider);
  }

  async compile(graph: Graph, { name = 'program' }: CompileOptions = {}): Promise<Program> {
    const lowered = await this.#lower(graph);
    const session = await this.#session(lowered, name, keepsResults(this.#provider) ? 'gpu-buffer' : 'cpu');
    const program = new OrtProgram(this, graph, session, { name, blocked: lowered.blockedInputs });
    this.#programs.add(program);
    return program;
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    if (keepsResults(this.#provider)) return new UploadedTensor(value, (numbers, name) => this.#place(numbers, name));
    return new OrtTensor(this, hostTensor(value));
  }

  async receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    if (keepsResults(this.#provider)) return this.#join(shape, slices);
    return this.upload({ shape, data: await gather(shape, slices) });
  }

  async dispose(): Promise<void> {
    for (const program of [...this.#programs]) await program.close();
    for (const reader of this.#readers.values()) await (await reader).release();
    this.#readers.clear();
    this.#placers.clear();
  }

  /** The program's session is gone. */
  forget(program: OrtProgram): void {
    this.#programs.delete(program);
  }

  /** Counts what a session takes from the host or gives to it; on the CPU that is the device's own memory. */
  crosses(direction: Direction, name: string, tensor: ort.Tensor): void {
    if (this.#provider === 'cpu' || tensor.location !== 'cpu') return;
    this.crossings.count(direction, name, tensor.size * bytesPerNumber[numberTypeOf(tensor)]);
  }

  async read(tensor: ort.Tensor, name: string): Promise<Float32Array> {
    if (tensor.location === 'cpu') return floatsOf(tensor);
    const made = { shape: tensor.dims, type: numberTypeOf(tensor) };
    const reader = await lookUp(this.#readers, keyOf(made), async () =>
      this.#session(await this.#lower(identityGraph(made)), 'read back', 'cpu'),
    );
    const { y } = await reader.run({ x: tensor });
    this.crosses('toHost', name, y);
    return floatsOf(y);
  }

  /** A tensor of device memory, at most so many numbers at a time. */
  async *cut(tensor: ort.Tensor, name: string, numbers: number): AsyncGenerator<Float32Array> {
    const made = { shape: tensor.dims, type: numberTypeOf(tensor) };
    const count = sizeOf(made.shape);
    if (count <= numbers) {
      yield await this.read(tensor, name);
      return;
    }
    const cutter = await lookUp(this.#readers, `${numbers} of ${keyOf(made)}`, () =>
      this.#session(cutModel(made, numbers), 'read back in slices', 'cpu'),
    );
    for (const [start] of ranges(count, numbers)) {
      // All are of one length: the last one repeats what was read.
      const from = Math.min(start, count - numbers);
      const [begin, end] = [from, from + numbers].map((at) => new runtime.Tensor('int32', Int32Array.of(at), [1]));
      const { y } = await cutter.run({ x: tensor, begin, end });
      this.crosses('toHost', name, y);
      yield floatsOf(y, start - from);
    }
  }

  /** Brings slices into device memory one by one and makes one tensor of them there: for a moment they are there twice. */
  async #join(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    const parts: OrtTensor[] = [];
    try {
      let count = 0;
      for await (const data of regroup(slices)) {
        parts.push(await this.#place({ shape: [data.length], data }, 'received'));
        count += data.length;
      }
      requireCount(shape, count);
      const graph = joinGraph(shape, parts);
      const key = `${parts.map((part) => part.shape)} to ${keyOf({ shape, type: 'float32' })}`;
      const joiner = await lookUp(this.#placers, key, () => this.compile(graph, { name: 'join' }));
      return (await joiner.run(Object.fromEntries(parts.map((part, i) => [`x${i}`, part])))).y;
    } finally {
      for (const part of parts) part.dispose();
    }
  }

  /** Copies numbers into device memory. @param name under which they cross */
  async #place(value: TensorData | HalfData, name: string): Promise<OrtTensor> {
    const made = { shape: value.shape, type: typeOf(value) };
    const placer = await lookUp(this.#placers, keyOf(made), () =>
      this.compile(identityGraph(made), { name: 'upload' }),
    );
    const { y } = await placer.run({ x: new OrtTensor(this, hostTensor(value), { name }) });
    return Object.assign(y as OrtTensor, { name });
  }

  async #lower(graph: Graph): Promise<LoweredGraph> {
    const capabilities = await this.capabilities();
    return lowerGraph(graph, { capabilities, blocksKernels: true, hidesShapes: this.#provider === 'cpu' });
  }

  async #session(model: OnnxModel, name: string, results: 'cpu' | 'gpu-buffer'): Promise<ort.InferenceSession> {
    const onCpu = this.#provider === 'cpu';
    const options: ort.InferenceSession.SessionOptions = {
      executionProviders: [{ name: this.#provider }, ...(onCpu ? [] : [{ name: 'cpu' as const }])],
      intraOpNumThreads: this.#threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      enableMemPattern: !onCpu,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      ...(results === 'gpu-buffer' ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
    };
    try {
      return await runtime.InferenceSession.create(encodeModel(model), options);
    } catch (error) {
      throw new UserError('device', `${this.device} cannot run '${name}': ${(error as Error).message}`, '', {
        cause: error,
      });
    }
  }
}

const keyOf = ({ shape, type }: Declared): string => `${type} ${shape.join()}`;

function lookUp<T>(made: Map<string, T>, key: string, make: () => T): T {
  if (!made.has(key)) made.set(key, make());
  return made.get(key)!;
}

class OrtTensor implements DeviceTensor {
  readonly shape: readonly number[];
  readonly type: NumberType;
  /** Under which it crosses between host and device, where that is not the name of the input that it is fed to. */
  name: string;
  readonly #engine: OrtEngine;
  /** The program whose session holds the memory; null on the CPU, where the tensor does. */
  readonly #owner: OrtProgram | null;
  #value: ort.Tensor | null;
  /** Channels per block where `value` is a convolution's kernel in the blocked layout; 0 in the ordinary one. */
  #blocks = 0;

  constructor(engine: OrtEngine, value: ort.Tensor, made: { by?: OrtProgram; name?: string } = {}) {
    this.#engine = engine;
    this.#owner = (value.location !== 'cpu' && made.by) || null;
    this.name = made.name ?? '';
    this.#value = asBits(value);
    this.shape = value.dims;
    this.type = numberTypeOf(value);
    this.#owner?.keepFor(this);
  }

  /** The runtime's tensor. Throws after `dispose`. */
  get native(): ort.Tensor {
    return this.inBlocks(0);
  }

  /** A kernel in blocks of `n` channels; 0: as it is. Kept in the form asked for last, so that weights are in memory once. */
  inBlocks(n: number): ort.Tensor {
    if (!this.#value) throw new Error('this device tensor was disposed');
    if (n !== this.#blocks) {
      const { data, dims } = this.#value;
      const held = data as Float32Array;
      const plain = this.#blocks > 0 ? outOfBlocks(held, dims, this.#blocks) : held;
      this.#value = new runtime.Tensor('float32', n > 0 ? intoBlocks(plain, dims, n) : plain, dims);
      this.#blocks = n;
    }
    return this.#value;
  }

  read(): Promise<Float32Array> {
    return this.#engine.read(this.native, this.name);
  }

  async *slices(numbers: number): AsyncGenerator<Float32Array> {
    const { native } = this;
    if (native.location !== 'cpu') yield* this.#engine.cut(native, this.name, numbers);
    else for (const [start, end] of ranges(native.data.length, numbers)) yield floatsOf(native, start, end);
  }

  dispose(): void {
    const value = this.#value;
    this.#value = null;
    if (value && value.location !== 'cpu') value.dispose();
    this.#owner?.doneWith(this);
  }
}

/**
 * A session. Device memory of a result lives in the session that made it: freeing it later ends the process. So a
 * disposed program's session stays until the last of its results is disposed, or the engine is.
 */
class OrtProgram implements Program {
  readonly inputs: ReadonlyMap<string, Declared>;
  readonly outputs: ReadonlyMap<string, Declared>;
  readonly #engine: OrtEngine;
  readonly #name: string;
  /** Inputs that the session takes in the blocked layout. */
  readonly #blocked: ReadonlySet<string>;
  readonly #results = new Set<OrtTensor>();
  #session: ort.InferenceSession | null;
  #disposed = false;

  constructor(
    engine: OrtEngine,
    graph: Graph,
    session: ort.InferenceSession,
    { name, blocked }: { name: string; blocked: ReadonlySet<string> },
  ) {
    this.#engine = engine;
    this.#name = name;
    this.#blocked = blocked;
    this.inputs = declared(graph.inputs);
    this.outputs = declared(graph.outputs);
    this.#session = session;
  }

  async run(feeds: Readonly<Record<string, Feed>>, { signal }: RunOptions = {}): Promise<Record<string, DeviceTensor>> {
    RunEnded.throwIf(signal, this.#name);
    if (!this.#session || this.#disposed) throw new Error(`program '${this.#name}' was disposed`);
    const native: Record<string, ort.Tensor> = {};
    for (const [name, input] of this.inputs) {
      const feed = checkedFeed(this.#name, name, input, feeds[name]);
      native[name] = await this.#nativeFeed(name, feed);
      this.#engine.crosses('toDevice', (feed instanceof OrtTensor && feed.name) || name, native[name]);
    }
    const results = await this.#session.run(native);
    return Object.fromEntries(
      Array.from(this.outputs.keys(), (name) => [name, this.#made(name, results[name] as ort.Tensor)]),
    );
  }

  #made(name: string, result: ort.Tensor): OrtTensor {
    this.#engine.crosses('toHost', name, result);
    // On the host it crosses no more under this name.
    return new OrtTensor(this.#engine, result, { by: this, ...(result.location === 'cpu' ? {} : { name }) });
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    if (this.#results.size === 0) await this.#release();
  }

  /** Disposes the program with everything it returned. */
  async close(): Promise<void> {
    this.#disposed = true;
    for (const result of [...this.#results]) result.dispose();
    await this.#release();
  }

  keepFor(result: OrtTensor): void {
    this.#results.add(result);
  }

  doneWith(result: OrtTensor): void {
    if (this.#results.delete(result) && this.#disposed && this.#results.size === 0) void this.#release();
  }

  async #release(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#engine.forget(this);
    await session?.release();
  }

  async #nativeFeed(name: string, feed: Feed): Promise<ort.Tensor> {
    const blocks = this.#blocked.has(name) ? await channelBlock() : 0;
    if (!isDeviceTensor(feed)) return new OrtTensor(this.#engine, hostTensor(feed)).inBlocks(blocks);
    if (feed instanceof UploadedTensor) return ((await feed.onDevice(name)) as OrtTensor).native;
    if (!(feed instanceof OrtTensor)) throw new Error(`input '${name}' lives on another engine`);
    return feed.inBlocks(blocks);
  }
}
