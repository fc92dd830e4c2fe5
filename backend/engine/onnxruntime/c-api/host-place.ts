/** The CPU: tensors are memory of the host, and nothing crosses. */
import type { Shape } from '../../../graph/graph.ts';
import { gather, type HalfData, type TensorData } from '../../../graph/tensor-data.ts';
import type { Capabilities } from '../../capabilities.ts';
import { Crossings } from '../../crossings.ts';
import { type Declared, type DeviceTensor, isDeviceTensor } from '../../engine.ts';
import { ortCapabilities } from '../capabilities.ts';
import { type AddressOf, Memory, ownMemory, Pool, type Room, takeFrom } from './memory.ts';
import type { Fed, Place } from './place.ts';
import { HostTensor } from './tensor.ts';

export class HostPlace implements Place {
  readonly device: string;
  readonly crossings = new Crossings();
  readonly pools: Place['pools'];
  readonly #pool = new Pool<Memory>();
  readonly #address: AddressOf;

  /** @param threads 0: one per physical core */
  constructor(address: AddressOf, threads: number) {
    this.#address = address;
    const pool = this.#pool as Pool<Room>;
    this.pools = { inputs: pool, outputs: pool };
    this.device = threads > 0 ? `cpu (${threads} threads)` : 'cpu';
  }

  capabilities(): Promise<Capabilities> {
    return ortCapabilities('cpu');
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return new HostTensor(value.shape, ownMemory(value, this.#address, this.#pool), this.#address);
  }

  async receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    const room = takeFrom(this.#pool, shape, 'float32', this.#address);
    try {
      await gather(shape, slices, room.numbers as Float32Array);
    } catch (error) {
      room.release();
      throw error;
    }
    return new HostTensor(shape, room, this.#address);
  }

  read({ name, feed, blocks }: Fed): Room {
    if (feed instanceof HostTensor) return feed.inBlocks(blocks).hold();
    if (isDeviceTensor(feed)) throw new Error(`input '${name}' lives on another engine`);
    if (blocks > 0) return new HostTensor(feed.shape, new Memory(feed.data), this.#address).inBlocks(blocks);
    return ownMemory(feed, this.#address, this.#pool);
  }

  room({ shape, type }: Declared): Room {
    return takeFrom(this.#pool, shape, type, this.#address);
  }

  result(_name: string, shape: Shape, room: Room): DeviceTensor {
    return new HostTensor(shape, room as Memory, this.#address);
  }

  worded(error: unknown): unknown {
    return error;
  }

  close(): void {}
}
