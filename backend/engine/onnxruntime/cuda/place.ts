/**
 * CUDA: what is uploaded, and everything that programs return, lies in memory of the card. The host's numbers cross when they are
 * uploaded or fed, and results when they are read; both are counted.
 */
import type { Shape } from '../../../graph/graph.ts';
import { halvesToFloats } from '../../../graph/half.ts';
import { lowerGraph } from '../../../graph/onnx/emit.ts';
import { encodeModel } from '../../../graph/onnx/proto.ts';
import {
  bytesPerNumber,
  type HalfData,
  type NumberType,
  ranges,
  requireCount,
  sizeOf,
  type TensorData,
  typeOf,
} from '../../../graph/tensor-data.ts';
import type { Capabilities } from '../../capabilities.ts';
import { Crossings } from '../../crossings.ts';
import { type Declared, type DeviceTensor, isDeviceTensor } from '../../engine.ts';
import { DeviceAllocator, DeviceMemory } from '../c-api/device-memory.ts';
import { type Pointer, pointers } from '../c-api/library.ts';
import { aligned, Memory, ownMemory, Pool, type Room } from '../c-api/memory.ts';
import type { Fed, Place } from '../c-api/place.ts';
import { lengthsOf, makeValue, type Surroundings, setOptions } from '../c-api/session.ts';
import { residentCapabilities } from '../capabilities.ts';
import { identityGraph } from '../slices.ts';
import { cudaFailure } from './failure.ts';
import { cudaTrial } from './trial.ts';

export class CudaPlace implements Place {
  readonly device = 'cuda';
  readonly crossings = new Crossings();
  readonly pools: Place['pools'];
  readonly #fed = new Pool<Memory>();
  readonly #made = new Pool<DeviceMemory>();
  readonly #around: Surroundings;
  #allocator: DeviceAllocator | null = null;
  #closed = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.pools = { inputs: this.#fed as Pool<Room>, outputs: this.#made as Pool<Room> };
  }

  capabilities(): Promise<Capabilities> {
    return residentCapabilities('cuda', cudaTrial(this.#around));
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    const room = this.#allocate(typeOf(value), sizeOf(value.shape));
    this.#worded('cannot upload a tensor', room, () => this.#copy([new Memory(numbersOf(value)), room]));
    this.crossings.count('toDevice', 'uploaded', room.bytes);
    return new CudaTensor(this, value.shape, room, 'uploaded');
  }

  async receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    const room = this.#allocate('float32', sizeOf(shape));
    try {
      let count = 0;
      for await (const slice of slices) {
        requireRoom(shape, count + slice.length);
        this.#worded('cannot upload a tensor', null, () => this.#copy([new Memory(slice), room], { to: 4 * count }));
        this.crossings.count('toDevice', 'received', slice.byteLength);
        count += slice.length;
      }
      requireCount(shape, count);
    } catch (error) {
      room.release();
      throw error;
    }
    return new CudaTensor(this, shape, room, 'received');
  }

  read({ name, feed }: Fed): Room {
    if (feed instanceof CudaTensor && feed.place === this) return feed.memory.hold();
    if (isDeviceTensor(feed)) throw new Error(`input '${name}' lives on another engine`);
    const { koffi } = this.#around.library;
    const own = ownMemory(feed, (array) => koffi.address(array), this.#fed);
    this.crossings.count('toDevice', name, own.bytes);
    return own;
  }

  room({ shape, type }: Declared): Room {
    return this.#allocate(type, sizeOf(shape));
  }

  result(name: string, shape: Shape, room: Room): DeviceTensor {
    return new CudaTensor(this, shape, room as DeviceMemory, name);
  }

  worded(error: unknown, doing: string): unknown {
    return cudaFailure(error, doing, this.#allocator?.held ?? 0);
  }

  close(): void {
    this.#closed = true;
    this.#allocator?.close();
  }

  /** Numbers of a tensor on the host, from one of them on. */
  download(name: string, room: DeviceMemory, from: number, count: number): Float32Array {
    if (this.#closed) throw new Error('the engine of this device tensor was disposed');
    const { koffi } = this.#around.library;
    const host = new Memory(aligned(count, room.type, (array) => koffi.address(array)));
    this.#worded(`cannot read '${name}'`, null, () =>
      this.#copy([room, host], { from: bytesPerNumber[room.type] * from }),
    );
    this.crossings.count('toHost', name, host.bytes);
    return host.numbers instanceof Uint16Array ? halvesToFloats(host.numbers) : host.numbers;
  }

  #allocate(type: NumberType, count: number): DeviceMemory {
    if (this.#closed) throw new Error('the engine was disposed');
    const bytes = count * bytesPerNumber[type];
    const free = this.#made.take(type, bytes);
    if (free) return free;
    return this.#worded(`has no ${bytes} bytes for a tensor`, null, () => {
      this.#allocator ??= this.#openAllocator();
      return new DeviceMemory(this.#allocator, type, bytes, this.#made);
    });
  }

  #openAllocator(): DeviceAllocator {
    const { library, env, cuda } = this.#around;
    const model = encodeModel(lowerGraph(identityGraph({ shape: [1], type: 'float32' })));
    const options = library.create('sessionOptions', 'createSessionOptions');
    try {
      setOptions(this.#around, options, 1);
      const session = library.create('session', 'createSessionFromArray', env, model, model.byteLength, options);
      return new DeviceAllocator(library, session, cuda!.memory);
    } finally {
      library.release('sessionOptions', options);
    }
  }

  /** As many numbers as the host's side has. @param at bytes at which the device's side begins */
  #copy([source, target]: readonly [Room, Room], at: { readonly from?: number; readonly to?: number } = {}): void {
    const { library, env } = this.#around;
    const host = source instanceof Memory ? source : target;
    const shape = lengthsOf([host.bytes / bytesPerNumber[host.type]]);
    const made: Pointer[] = [];
    try {
      for (const [room, from = 0] of [
        [source, at.from],
        [target, at.to],
      ] as const) {
        made.push(makeValue(this.#around, room, shape, from));
      }
      const [sources, targets] = made.map((value) => pointers(1).fill(value));
      library.call('copyTensors', env, sources, targets, null, 1);
    } finally {
      for (const value of made) library.release('value', value);
    }
  }

  #worded<T>(doing: string, room: Room | null, work: () => T): T {
    try {
      return work();
    } catch (error) {
      room?.release();
      throw this.worded(error, doing);
    }
  }
}

const numbersOf = (value: TensorData | HalfData): Float32Array | Uint16Array =>
  'halves' in value ? value.halves : value.data;

function requireRoom(shape: Shape, count: number): void {
  if (count > sizeOf(shape)) requireCount(shape, count);
}

class CudaTensor implements DeviceTensor {
  readonly place: CudaPlace;
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly #name: string;
  #memory: DeviceMemory | null;

  /** Takes the memory over. @param name under which it crosses */
  constructor(place: CudaPlace, shape: Shape, memory: DeviceMemory, name: string) {
    this.place = place;
    this.shape = [...shape];
    this.type = memory.type;
    this.#memory = memory;
    this.#name = name;
  }

  /** Throws after `dispose`. */
  get memory(): DeviceMemory {
    if (!this.#memory) throw new Error('this device tensor was disposed');
    return this.#memory;
  }

  async read(): Promise<Float32Array> {
    return this.place.download(this.#name, this.memory, 0, sizeOf(this.shape));
  }

  async *slices(numbers: number): AsyncGenerator<Float32Array> {
    for (const [start, end] of ranges(sizeOf(this.shape), numbers)) {
      yield this.place.download(this.#name, this.memory, start, end - start);
    }
  }

  dispose(): void {
    this.#memory?.release();
    this.#memory = null;
  }
}
