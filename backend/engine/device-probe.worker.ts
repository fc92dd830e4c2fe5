/**
 * A process of its own that tries one device: a driver that crashes or hangs takes only this process down. Called with
 * a device and a thread count; sends one ProbeMessage to its parent and ends.
 */
import { Graph } from '../graph/graph.ts';
import { conv2d, slice } from '../graph/ops/index.ts';
import type { Engine } from './engine.ts';
import { speedOf, type Work } from './growing-work.ts';
import { type DeviceName, openDevice, runtimeOf } from './open.ts';

export type ProbeMessage = { gigaflops: number; through: string } | { error: string };

const [channels, size] = [64, 32];
/** What a border of zeros changes does not reach the middle after so many convolutions. */
const mostConvolutions = size / 2 - 2;
/** Images and convolutions of them. The first work is small enough for a driver that computes on the CPU, which takes half a second. */
const works: readonly (readonly [images: number, convolutions: number])[] = [
  [1, 1],
  ...[1, 2, 4, 8, 16, 32].map((scale) => [8 * scale, Math.min(2 * scale, mostConvolutions)] as const),
];

const average = {
  shape: [channels, channels, 3, 3],
  data: new Float32Array(channels ** 2 * 9).fill(1 / (channels * 9)),
};

/**
 * Convolutions that average: ones stay ones away from the border.
 * @param constant whether the device wants its weights to be constants, as those of a model that draws are there
 */
function probeGraph(count: number, depth: number, constant: boolean): Graph {
  const graph = new Graph();
  let image = graph.input('image', [count, channels, size, size]);
  const weight = constant ? graph.constant(average.shape, average.data) : graph.input('weight', average.shape);
  for (let i = 0; i < depth; i++) image = conv2d(image, weight, null, { padding: 1 });
  const middle = size / 2;
  graph.output('middle', slice(image, [0, 0, middle, middle], [count, channels, middle + 1, middle + 1]));
  return graph;
}

/** Fails when the device does or computes something else. */
async function workOf(engine: Engine, [count, depth]: (typeof works)[number]): Promise<Work> {
  const { sharesConstants } = await engine.capabilities();
  const program = await engine.compile(probeGraph(count, depth, sharesConstants), { name: 'device probe' });
  const ones = { shape: [count, channels, size, size], data: new Float32Array(count * channels * size ** 2).fill(1) };
  const [image, weight] = [engine.upload(ones), engine.upload(average)];
  return {
    gigaflop: (2 * depth * count * channels ** 2 * 9 * size ** 2) / 1e9,
    async run() {
      const start = performance.now();
      const { middle } = await program.run({ image, ...(sharesConstants ? {} : { weight }) });
      const values = await middle!.read();
      const elapsed = performance.now() - start;
      const wrong = values.find((value) => !(Math.abs(value - 1) < 1e-3));
      if (wrong !== undefined) throw new Error(`it computes wrong numbers (${wrong} where 1 is right)`);
      middle!.dispose();
      return elapsed;
    },
    async dispose() {
      for (const tensor of [image, weight]) tensor.dispose();
      await program.dispose();
    },
  };
}

/** Computing speed in 10^9 operations per second. */
const measure = (engine: Engine): Promise<number> => speedOf(works.map((work) => () => workOf(engine, work)));

const [device, threads] = process.argv.slice(2);
let message: ProbeMessage;
try {
  const name = device as DeviceName;
  message = { gigaflops: await measure(await openDevice(name, Number(threads))), through: await runtimeOf(name) };
} catch (error) {
  message = { error: error instanceof Error ? error.message : String(error) };
}
// Leaves without the runtime's own clean-up, which has been seen to hang or crash once everything is done.
process.send?.(message, () => process.exit(0));
