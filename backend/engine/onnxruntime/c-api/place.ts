/** Where an engine's tensors are: in memory of the host, or of a device. */
import type { Shape } from '../../../graph/graph.ts';
import type { HalfData, TensorData } from '../../../graph/tensor-data.ts';
import type { Capabilities } from '../../capabilities.ts';
import type { Crossings } from '../../crossings.ts';
import type { Declared, DeviceTensor, Feed } from '../../engine.ts';
import type { Pool, Room } from './memory.ts';

/** What there is of an input in a run. */
export interface Fed {
  readonly name: string;
  readonly feed: Feed;
  /** Channels per block in which the session takes it; 0: as it is. */
  readonly blocks: number;
}

export interface Place {
  /** For people. */
  readonly device: string;
  readonly crossings: Crossings;
  /** Where programs' outputs lie, and numbers of the host on their way in. */
  readonly pools: Readonly<Record<'inputs' | 'outputs', Pool<Room>>>;
  capabilities(): Promise<Capabilities>;
  upload(value: TensorData | HalfData): DeviceTensor;
  receive(shape: Shape, slices: AsyncIterable<Float32Array>): Promise<DeviceTensor>;
  /** What a run reads; to be released. Throws for a tensor of another engine. */
  read(fed: Fed): Room;
  /** What a run writes an output into. */
  room(output: Declared): Room;
  /** An output as its owner sees it: takes the memory over. */
  result(name: string, shape: Shape, room: Room): DeviceTensor;
  /** An error of the runtime's as a person should see it. @param doing e.g. "cannot run 'probe'" */
  worded(error: unknown, doing: string): unknown;
  /** When every session is closed. */
  close(): void;
}
