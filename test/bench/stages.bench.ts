/**
 * What it costs to look between the stages of an iteration of the built-in model (32 images and 32 pairs), and to change a value there:
 * the first time the rest of that half is compiled as a program of its own, from then on it is run again. Also the most memory
 * that the process has taken.
 *
 *     npm run bench -- stages --threads=2 --turns=5
 */

import { isDeviceTensor } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { generatorStages } from '../../backend/methods/dmd/graphs.ts';
import type { Between } from '../../backend/training/iteration.ts';
import type { UpdateSettings } from '../../backend/training/update-graph.ts';
import { edmDistillation, samePairs } from '../unit/training/edm-distillation.ts';
import { batch, dmdCase, settings } from './lib/dmd-case.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { median, spread } from './lib/statistics.ts';

const threads = threadsOption();
const turns = numberOption('turns', 5);
const bench = dmdCase();
const update: UpdateSettings = {
  ...{ learningRate: settings.learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  ...{ clip: settings.clip, emaDecays: [settings.emaDecay] },
};
const { pairs } = bench;
const { trainer } = await edmDistillation(createOnnxRuntimeEngine({ device: 'cpu', threads }), {
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

async function timed(onStage?: (between: Between) => Promise<void>): Promise<number> {
  const start = performance.now();
  await trainer.advance({ onStage });
  return performance.now() - start;
}

/** Puts a tensor's own copy in its place once the stage is done. */
const replacing = (stage: string, name: string) => async (between: Between) => {
  if (between.stage !== stage) return;
  const value = between.tensor(name);
  const data = isDeviceTensor(value) ? (await value.read()).slice() : value.data;
  between.replace(name, { shape: value.shape, data });
};

await timed();
const tried = generatorStages.slice(0, 5).map(([stage, [name]]) => ({ stage, replace: replacing(stage, name!) }));
const first: number[] = [];
for (const { replace } of tried) first.push(await timed(replace));
const [free, looked] = [[], []] as number[][];
const again: number[][] = tried.map(() => []);
for (let turn = 0; turn < turns; turn++) {
  free!.push(await timed());
  looked!.push(await timed(async () => {}));
  for (const [i, { replace }] of tried.entries()) again[i]!.push(await timed(replace));
}
const plain = median(free!);
const shown = (values: readonly number[]) => `${spread(values, 0)} ms`;
console.log(`${threads} thread(s), ${turns} turns, milliseconds of an iteration`);
console.log(`nobody looks            ${shown(free!)}`);
console.log(`somebody looks          ${shown(looked!)}, ${(median(looked!) / plain).toFixed(3)} of that`);
for (const [i, { stage }] of tried.entries()) {
  const more = median(again[i]!) / plain;
  console.log(
    `changed after ${stage.padEnd(10)} ${shown(again[i]!)}, ${more.toFixed(2)} of that; the first time ${first[i]!.toFixed(0)} ms`,
  );
}
console.log(`most memory             ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
await trainer.dispose();
