/**
 * What a debugger costs an iteration of the built-in model (32 images and 32 pairs), in turns with one that nobody debugs: attached without
 * a breakpoint, also with the rule for NaN on, and standing at a stage with every tensor in one line. Processor time of all threads, which a
 * busy machine disturbs less than the clock does; the lines in milliseconds of the clock.
 *
 *     npm run bench -- debugger --threads=2 --turns=10
 */
import { Debugger } from '../../backend/debug/debugger.ts';
import { HeldTensors } from '../../backend/debug/held.ts';
import type { DebugHost } from '../../backend/debug/host.ts';
import { tensorLines } from '../../backend/debug/looking.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import type { Between } from '../../backend/training/iteration.ts';
import type { UpdateSettings } from '../../backend/training/update-graph.ts';
import { edmDistillation, samePairs } from '../unit/training/edm-distillation.ts';
import { batch, dmdCase, settings } from './lib/dmd-case.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { median, spread } from './lib/statistics.ts';

const threads = threadsOption();
const turns = numberOption('turns', 10);
const bench = dmdCase();
const update: UpdateSettings = {
  ...{ learningRate: settings.learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  ...{ clip: settings.clip, emaDecays: [settings.emaDecay] },
};
const { pairs } = bench;
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });
const { trainer } = await edmDistillation(engine, {
  ...{ network: bench.network, teacherParameters: bench.weights.teacher, batch, sigmas: bench.levels },
  matching: { weight: 'eq8', realOnly: false },
  regression: { batch, distance: l2Distance },
  ...{ seed: 1, accumulation: 1, fakeUpdates: 1, draws: bench.draws, emas: [settings.emaDecay] },
  pairs: samePairs(pairs.z, pairs.y, pairs.labels),
  settings: () => ({
    ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda: settings.lambda },
    ...{ firstLevel: 20, lastLevel: 980 },
  }),
  start: bench.weights,
});
const host: DebugHost = {
  ...{ engine, trainer, iterations: 1e6, listing: [], rules: [], tags: (scalars) => scalars },
  ...{ wait: async () => true, wake() {}, note() {}, intervened() {}, checkpoints: () => [] },
};
const debug = new Debugger(host);

/** As a run's loop does it. @returns milliseconds of all processors */
async function iteration(): Promise<number> {
  const before = process.cpuUsage();
  await debug.enter(trainer.step + 1);
  const { step, scalars } = await trainer.advance({
    get onStage() {
      return debug.onStage;
    },
    get onCommit() {
      return debug.onCommit;
    },
  });
  debug.done(step, scalars);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

async function attached(exceptions: { id: number; rule: string }[]): Promise<number> {
  debug.attach('a session', false);
  debug.session('a session').breakpoints.set({ exceptions }, [], ['numeric']);
  const time = await iteration();
  debug.end('a session', '');
  return time;
}

/** The longest that all tensors of a stage took to be told of. */
async function lines(): Promise<number> {
  let longest = 0;
  const onStage = async (between: Between) => {
    const start = performance.now();
    await tensorLines(new HeldTensors(between), undefined, new AbortController().signal);
    longest = Math.max(longest, performance.now() - start);
  };
  await trainer.advance({ onStage });
  return longest;
}

await iteration();
const [free, idle, watching, told]: number[][] = [[], [], [], []];
for (let turn = 0; turn < turns; turn++) {
  free!.push(await iteration());
  idle!.push(await attached([]));
  watching!.push(await attached([{ id: 1, rule: 'numeric' }]));
  told!.push(await lines());
}
const of = (times: readonly number[]) => `${spread(times, 0)} ms, ${(median(times) / median(free!)).toFixed(4)}`;
console.log(`${threads} thread(s), ${turns} turns, processor time of an iteration`);
console.log(`no debugger                     ${spread(free!, 0)} ms`);
console.log(`attached, no breakpoint         ${of(idle!)} of that`);
console.log(`attached, stops at NaN          ${of(watching!)} of that`);
console.log(`every tensor in one line        ${spread(told!, 1)} ms at the stage that has most`);
await trainer.dispose();
await engine.dispose();
