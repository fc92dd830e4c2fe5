/**
 * Latent consistency distillation by itself: its path of timesteps and its distance, runs that are stopped and resumed, with adapters too, their
 * generator in one step and in four; and what is wrong in a config said at its key.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { reshape } from '../../backend/graph/ops/index.ts';
import { methodOf } from '../../backend/methods/index.ts';
import { huberDistance, lcmConfig, lcmMethod, pathOf } from '../../backend/methods/lcm/method.ts';
import { skippedAt } from '../../backend/models/consistency.ts';
import { configProblems, type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { stagesOf } from './training/stages.ts';
import { curves, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

const teacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const root = scratch();
const engine = await openDevice('cpu', 1);
after(async () => {
  await engine.dispose();
  fs.rmSync(root, { recursive: true });
});
const prompts = path.join(root, 'prompts.txt');
fs.writeFileSync(prompts, 'a red circle\ntwo blue stars on green\na square\n');

function configOf(change: object = {}): DistillConfig {
  const quiet = { samplesEvery: 0, fieldsEvery: 0, histogramsEvery: 0, healthEvery: 0, probeEvery: 0 };
  const config = {
    ...{ kind: 'distill', method: 'lcm', name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
    ...{ iterations: 4, batch: 2, record: quiet, checkpoint: { every: 0 } },
    ...{ text: { prompts, guidance: 2 }, data: { fit: 'resize', count: 5, seed: 4 } },
    generator: { lr: 1e-3, warmup: 2, ema: 0.9 },
  };
  const parsed = parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
  assert.ok(parsed.kind === 'distill');
  return parsed;
}

test('the path goes from the last timestep to 0, and every step skips as many', () => {
  const fifty = pathOf(1000, 20);
  assert.equal(fifty.length, 50);
  assert.deepEqual(
    [fifty[0], fifty[1], fifty.at(-1)],
    [
      { from: 19, to: 0 },
      { from: 39, to: 19 },
      { from: 999, to: 979 },
    ],
  );
  assert.deepEqual(pathOf(10, 4), [
    { from: 1, to: 0 },
    { from: 5, to: 1 },
    { from: 9, to: 5 },
  ]);
  assert.deepEqual(pathOf(3, 1), [
    { from: 1, to: 0 },
    { from: 2, to: 1 },
  ]);
  assert.throws(() => pathOf(10, 10), /skip: the teacher has 10 timesteps/);
});

test("huber's distance is squared for small differences, and linear for large ones", async () => {
  const distance = async (difference: number) => {
    const graph = new Graph();
    const [a, b] = ['a', 'b'].map((name) => graph.input(name, [2]));
    graph.output('d', reshape(huberDistance(0.1)(a!, b!), [1]));
    const program = await engine.compile(graph, { name: 'huber' });
    const { d } = await program.run({
      a: { shape: [2], data: Float32Array.of(difference, 1 - difference) },
      b: { shape: [2], data: Float32Array.of(0, 1) },
    });
    const [value] = await d!.read();
    await program.dispose();
    return value!;
  };
  for (const difference of [0.01, 0.3, 40]) {
    const wanted = Math.hypot(difference, 0.1) - 0.1;
    assert.ok(Math.abs((await distance(difference)) - wanted) < 1e-5 * Math.max(1, wanted), `at ${difference}`);
  }
});

test('a folder needs no boundary condition at the timesteps that are usual', () => {
  assert.equal(skippedAt(0, 10), 1);
  assert.ok(skippedAt(19, 10) < 1e-5 && skippedAt(999, 10) < 1e-8);
});

test('in four steps, with drawn scales and adapters it trains, goes on from a stop with the same bits, and leaves a folder that draws so', async () => {
  const config = configOf({
    record: { samplesEvery: 3, samples: 2, fieldsEvery: 3, histogramsEvery: 0, healthEvery: 0, probeEvery: 3 },
    ...{ iterations: 3, steps: { at: [759, 499, 259] }, guidance: [2, 9], target: { decay: 0.5 } },
    text: { prompts, lora: { generator: 2 } },
  });
  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const first = await runHere({ config, root }, { until: 2 });
  await runHere({ folder: first.folder });
  assert.deepEqual(stateBytes(first.folder, 3), stateBytes(whole.folder, 3));
  const tags = curves(whole.folder);
  assert.ok(tags.has('loss/consistency') && tags.has('probe/path/999') && tags.has('probe/path/19'));
  const pipeline = TextPipeline.open(path.join(whole.folder, 'generator'), { engine });
  const { calls, images } = await pipeline.draw({ prompt: 'a red circle', seeds: [1] });
  assert.equal(calls, 4);
  assert.ok(images.data.every(Number.isFinite));
  await pipeline.dispose();
});

test('all its weights are trained by one scale, planned, and every stage has its line', async () => {
  const config = configOf();
  assert.deepEqual(await findingsOf(config), []);
  const plan = await planDistillation(config);
  assert.deepEqual(Object.keys(plan.parameters.trained), ['generator']);
  assert.ok(plan.imagesPerUpdate === 2 && plan.secondsPerUpdate > 0);
  const { run, listed } = await stagesOf(engine, config, root);
  assert.deepEqual(run, listed);
});

test('what does not go together is said at its key', async () => {
  const texts = (change: object) =>
    configProblems(JSON.stringify({ kind: 'distill', method: 'lcm', ...change }))
      .map(({ what }) => what)
      .join();
  assert.match(texts({ guidance: [5, 2] }), /guidance\.0.*must not be above 2/);
  assert.match(texts({ guidance: [0.5, 2] }), /guidance/);
  assert.match(texts({ steps: { at: [19, 39] } }), /steps\.at\.1.*timesteps must descend/);
  assert.match(texts({ skip: 0 }), /skip/);
  assert.match(texts({ data: { mirror: true } }), /mirror/);

  const found = async (change: object) => {
    const config = configOf(change);
    const findings = await findingsOf(config);
    await assert.rejects(methodOf(config).plan(config), `the run itself: ${JSON.stringify(findings)}`);
    return findings.map(({ key, message }) => `${key} ${message}`).join();
  };
  assert.match(
    await found({ steps: { at: [500] } }),
    /^steps\.at.*500 is no timestep that this generator is trained at/,
  );
  assert.match(
    await found({ steps: { at: [999] } }),
    /^steps\.at.*999 is no step of this generator, which begins at 999/,
  );
  assert.match(await found({ skip: 1000 }), /^skip.*has 1000 timesteps/);
  const small = { timestepScaling: 0.01 };
  assert.match(await found(small), /^timestepScaling.*at timestep 999 the boundary condition returns 0\.25 %/);
  assert.match(await found({ timestepScaling: 1, skip: 5, steps: { at: [9] } }), /^steps\.at.*at timestep 9 .*0\.31 %/);
  assert.match(await found({ data: {} }), /^data\.fit.*scenes are 64 x 64/);
  assert.match(await found({ data: { source: root } }), /^data\.source.*has no captions/);
  const images = await tinyTeacher(root);
  assert.match(await found({ teacher: images, text: {} }), /^teacher.*is no text-to-image model/);
  const mixture = { modes: [[0, 0]], std: 0.2 };
  assert.match(await found({ teacher: 'builtin:mixture', mixture, text: {} }), /^teacher.*is no text-to-image model/);
  assert.deepEqual(lcmMethod(lcmConfig(configOf({ guidance: [3, 7] }))).settings(1).guidance, [3, 7]);
});
