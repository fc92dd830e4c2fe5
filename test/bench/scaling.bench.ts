/**
 * How time grows: a DMD iteration of the built-in model against batch, channels and resolution, and one-step sampling against
 * batch. Each series is fitted as time ~ operations^p, operations being those of its products by the shapes of its graphs: p at most 1
 * means that nothing grows faster than its arithmetic.
 *
 *     npm run bench -- scaling                    one thread, about five minutes
 *     npm run bench -- scaling --turns=5
 *
 * Processor time, so that other work on the machine matters less.
 */
import { openDevice } from '../../backend/engine/open.ts';
import { builtInNetwork } from './lib/dmd-case.ts';
import { numberOption } from './lib/options.ts';
import { median } from './lib/statistics.ts';
import { countingFlops } from './table/flops.ts';
import type { Workload } from './table/workload.ts';
import { edmIteration } from './table/workloads/edm-iteration.ts';
import { edmSample } from './table/workloads/edm-sample.ts';

interface Point {
  readonly at: number;
  /** Milliseconds of the processor. */
  readonly time: number;
  readonly flops: number;
}

/** What may be measurement: a fit of four points on a machine that does other things. */
const noise = 0.05;
const turns = numberOption('turns', 3);
const threads = numberOption('threads', 1);
const iteration = (changes: object, batch = 16) => edmIteration({ network: { ...builtInNetwork, ...changes }, batch });

const series: Readonly<Record<string, { readonly values: readonly number[]; of(value: number): Workload }>> = {
  'iteration against batch': { values: [4, 8, 16, 32], of: (batch) => iteration({}, batch) },
  'iteration against channels': {
    values: [8, 16, 32, 64],
    of: (channels) => iteration({ model_channels: channels }, 8),
  },
  'iteration against resolution': {
    values: [16, 32, 64],
    // Attention at the same depth of the network.
    of: (size) => iteration({ img_resolution: size, attn_resolutions: [size / 4] }, 8),
  },
  'one-step sampling against batch': {
    values: [1, 4, 16, 64],
    of: (batch) => edmSample({ of: 'built-in', steps: 1, batch }),
  },
};

let faster = 0;
for (const [name, { values, of }] of Object.entries(series)) {
  const points: Point[] = [];
  for (const at of values) points.push({ at, ...(await measured(of(at))) });
  const p = exponent(points);
  if (p > 1 + noise) faster++;
  console.log(`\n  ${name}: time ~ operations^${p.toFixed(2)}`);
  const longest = Math.max(...points.map(({ time }) => time));
  for (const { at, time, flops } of points) {
    const bar = '#'.repeat(Math.max(1, Math.round((40 * time) / longest)));
    const rate = (flops / time / 1e6).toFixed(1);
    console.log(`  ${String(at).padStart(5)} ${time.toFixed(1).padStart(9)} ms ${rate.padStart(7)} GFLOP/s ${bar}`);
  }
}
if (faster > 0) {
  console.log(`\n  ${faster} series grow faster than their arithmetic.`);
  process.exitCode = 1;
}

/** Medians of turns after the first one. */
async function measured(workload: Workload): Promise<Omit<Point, 'at'>> {
  const { engine, flops } = countingFlops(await openDevice('cpu', threads));
  const ready = await workload.ready({ engine, threads, folder: '', begin: () => {} });
  await ready.turn();
  const counted = flops();
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const before = process.cpuUsage();
    await ready.turn();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  await ready.dispose();
  await engine.dispose();
  return { time: median(times), flops: (flops() - counted) / turns };
}

/** The slope of a line through the logarithms, by least squares. */
function exponent(points: readonly Point[]): number {
  const [x, y] = [points.map(({ flops }) => Math.log(flops)), points.map(({ time }) => Math.log(time))];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const both = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return both / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}
