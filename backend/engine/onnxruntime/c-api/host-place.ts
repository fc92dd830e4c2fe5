/** The CPU: tensors are memory of the host, and nothing crosses. */
import type { Shape } from '../../../graph/graph.ts';
import { gather, type HalfData, type TensorData } from '../../../graph/tensor-data.ts';
import type { Capabilities } from '../../capabilities.ts';
import { Crossings } from '../../crossings.ts';
import { type Declared, type DeviceTensor, isDeviceTensor } from '../../engine.ts';
import { ortCapabilities } from '../capabilities.ts';
import { type AddressOf, type Home, Memory, ownMemory, type Room, takeFrom } from './memory.ts';
import type { Fed, Place } from './place.ts';
import { HostTensor } from './tensor.ts';

export class HostPlace implements Place {
  readonly device: string;
  readonly crossings = new Crossings();
  readonly #address: AddressOf;

  /** @param threads 0: one per physical core */
  constructor(address: AddressOf, threads: number) {
    this.#address = address;
    this.device = threads > 0 ? `cpu (${threads} threads)` : 'cpu';
  }

  capabilities(): Promise<Capabilities> {
    return ortCapabilities('cpu');
  }

  upload(value: TensorData | HalfData): DeviceTensor {
    return new HostTensor(value.shape, ownMemory(value, this.#address), this.#address);
  }

  async receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor> {
    return new HostTensor(shape, new Memory(await gather(shape, slices)), this.#address);
  }

  read({ name, feed, home, blocks }: Fed): Room {
    if (feed instanceof HostTensor) return feed.inBlocks(blocks).hold();
    if (isDeviceTensor(feed)) throw new Error(`input '${name}' lives on another engine`);
    if (blocks > 0) return new HostTensor(feed.shape, new Memory(feed.data), this.#address).inBlocks(blocks);
    return ownMemory(feed, this.#address, home as Home<Memory>);
  }

  room({ shape, type }: Declared, home: Home<Room>): Room {
    return takeFrom(home as Home<Memory>, shape, type, this.#address);
  }

  result(_name: string, shape: Shape, room: Room): DeviceTensor {
    return new HostTensor(shape, room as Memory, this.#address);
  }

  worded(error: unknown): unknown {
    return error;
  }

  close(): void {}
}
