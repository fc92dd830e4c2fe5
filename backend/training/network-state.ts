/** The buffers of a network in training, on the device: where they start, how they are saved and read. */
import type { DeviceTensor, Engine } from '../engine/engine.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { ranges, sizeOf } from '../graph/tensor-data.ts';
import { UserError } from '../protocol/errors.ts';
import { type ArraySource, type StoredArrays, sliceSize, sourceOf, storedSlices } from '../weights/array-source.ts';
import { adamBuffers } from './update-graph.ts';

/** A buffer, one tensor per chunk of the layout. */
export type Chunks = readonly DeviceTensor[];

/** Buffers by name. */
export type BufferedState = ReadonlyMap<string, DeviceTensor[]>;

interface Network {
  /** Names its state file. */
  readonly name: string;
  readonly layout: ParameterLayout;
}

/** Moments of 0, everything else at flat numbers as the layout has them. */
export function startingState(
  engine: Engine,
  network: Network,
  buffers: readonly string[],
  start: Float32Array,
): Promise<BufferedState> {
  return received(engine, network, buffers, (buffer, from, to) => {
    if (buffer.endsWith('Moment')) return zeros(to - from);
    return sourceOf({ shape: [to - from], data: start.subarray(from, to) }).slices();
  });
}

/** A saved one; an average that is not in it begins at the parameters. Throws UserError('data') when it is not one of this layout. */
export function storedState(
  engine: Engine,
  network: Network,
  buffers: readonly string[],
  stored: StoredArrays | undefined,
): Promise<BufferedState> {
  const { size } = network.layout;
  return received(engine, network, buffers, (buffer, from, to) => {
    const name = stored?.shape(buffer) || isAdamBuffer(buffer) ? buffer : 'parameters';
    const shape = stored?.shape(name);
    if (!stored || !shape || sizeOf(shape) !== size) throw notFitting(network, name, shape);
    return storedSlices(stored, name, from, to);
  });
}

/** Every buffer whole. */
export function savedState(state: BufferedState, { size }: ParameterLayout): Map<string, ArraySource> {
  const arrays = new Map<string, ArraySource>();
  for (const [name, chunks] of state) {
    async function* slices() {
      for (const chunk of chunks) yield* chunk.slices(sliceSize);
    }
    arrays.set(name, { shape: [size], slices });
  }
  return arrays;
}

/** Slice by slice. @param slices of the numbers from..to of a buffer */
async function received(
  engine: Engine,
  { layout }: Network,
  buffers: readonly string[],
  slices: (buffer: string, from: number, to: number) => AsyncIterable<Float32Array>,
): Promise<BufferedState> {
  const state = new Map<string, DeviceTensor[]>();
  try {
    for (const buffer of buffers) {
      const chunks: DeviceTensor[] = [];
      state.set(buffer, chunks);
      for (const { start, size } of layout.chunks) {
        chunks.push(await engine.receive([size], slices(buffer, start, start + size)));
      }
    }
  } catch (error) {
    disposeState(state);
    throw error;
  }
  return state;
}

async function* zeros(count: number): AsyncGenerator<Float32Array> {
  const all = new Float32Array(Math.min(count, sliceSize));
  for (const [start, end] of ranges(count, sliceSize)) yield all.subarray(0, end - start);
}

const isAdamBuffer = (name: string) => adamBuffers.some((needed) => needed === name);

function notFitting({ name, layout }: Network, tensor: string, shape: readonly number[] | undefined): UserError {
  const found = shape ? `has [${shape.join(', ')}] numbers` : 'is missing';
  const message = `the checkpoint does not fit the network: tensor '${tensor}' of ${name}.safetensors ${found}, and it needs ${layout.size}`;
  return new UserError('data', message, 'Resume with the config that the run was begun with, or start a new run.');
}

export function disposeState(state: BufferedState): void {
  for (const chunks of state.values()) disposeAll(chunks);
}

/** Frees whatever of `tensors` is there. */
export function disposeAll(tensors: Iterable<DeviceTensor>): void {
  for (const tensor of tensors) tensor.dispose();
}
