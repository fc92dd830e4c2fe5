/**
 * A process of its own that tries one device: a driver that crashes or hangs takes only this process down. Called with
 * a device and a thread count; sends one ProbeMessage to its parent and ends.
 */
import { Graph } from '../graph/graph.ts';
import { conv2d, slice } from '../graph/ops/index.ts';
import type { Engine } from './engine.ts';
import { type DeviceName, openDevice, runtimeOf } from './open.ts';

export type ProbeMessage = { gigaflops: number; through: string } | { error: string };

const [batch, channels, size] = [8, 64, 32];
const convolutions = 2;
const gigaflop = (2 * convolutions * batch * channels ** 2 * 9 * size ** 2) / 1e9;
const repetitions = 5;
/** Slow devices are not made to repeat. */
const patienceMs = 100;

const average = {
  shape: [channels, channels, 3, 3],
  data: new Float32Array(channels ** 2 * 9).fill(1 / (channels * 9)),
};

/** Two convolutions that average: ones stay ones away from the border. */
/** @param constant whether the device wants its weights to be constants, as those of a model that draws are there */
function probeGraph(constant: boolean): Graph {
  const graph = new Graph();
  let image = graph.input('image', [batch, channels, size, size]);
  const weight = constant ? graph.constant(average.shape, average.data) : graph.input('weight', average.shape);
  for (let i = 0; i < convolutions; i++) image = conv2d(image, weight, null, { padding: 1 });
  const middle = size / 2;
  graph.output('middle', slice(image, [0, 0, middle, middle], [batch, channels, middle + 1, middle + 1]));
  return graph;
}

/** Computing speed in 10^9 operations per second. Throws when the device fails or computes something else. */
async function measure(engine: Engine): Promise<number> {
  const { sharesConstants } = await engine.capabilities();
  const program = await engine.compile(probeGraph(sharesConstants), { name: 'device probe' });
  const ones = { shape: [batch, channels, size, size], data: new Float32Array(batch * channels * size ** 2).fill(1) };
  const feeds = { image: engine.upload(ones), ...(sharesConstants ? {} : { weight: average }) };
  let best = Infinity;
  for (let i = 0; i <= repetitions; i++) {
    const start = performance.now();
    const { middle } = await program.run(feeds);
    const values = await middle.read();
    const elapsed = performance.now() - start;
    const wrong = values.find((value) => !(Math.abs(value - 1) < 1e-3));
    if (wrong !== undefined) throw new Error(`it computes wrong numbers (${wrong} where 1 is right)`);
    middle.dispose();
    // The first run compiles; a slow device is not asked again.
    if (i > 0 || elapsed > patienceMs) best = Math.min(best, elapsed);
    if (elapsed > patienceMs && i > 0) break;
  }
  return gigaflop / (best / 1000);
}

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
