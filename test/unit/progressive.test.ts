/**
 * Progressive distillation by itself: its ladder and stages, what becomes of the teacher, and runs across halvings that are stopped and
 * resumed, exported in between and sampled in their own steps, with what is wrong in its config said at the key.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { oneHot } from '../../backend/data/dataset.ts';
import { karrasSteps } from '../../backend/diffusion/karras.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { exportModel } from '../../backend/export/export-model.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { generateGraph } from '../../backend/methods/dmd/graphs.ts';
import { methodOf } from '../../backend/methods/index.ts';
import { progressiveConfig } from '../../backend/methods/progressive/as-dmd.ts';
import { ProgressiveProcedure } from '../../backend/methods/progressive/procedure.ts';
import { StudentSampler } from '../../backend/methods/progressive/sampler.ts';
import { progressiveSettings } from '../../backend/methods/progressive/settings.ts';
import { stageAt, stagesOf, studentOf } from '../../backend/methods/progressive/stages.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { generatorCalls, openModel } from '../../backend/models/model-file.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { configProblems, type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { StackedGenerator } from '../../backend/random/stacked-generator.ts';
import { stream } from '../../backend/random/stream.ts';
import { alone, type Ranks } from '../../backend/ranks/ranks.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { presetConfig } from '../../backend/runs/presets.ts';
import { writeSavedModel } from '../../backend/runs/saved-model.ts';
import { DenoiseProgram } from '../../backend/sampling/denoise-program.ts';
import { openOnnxModel } from '../../backend/sampling/onnx-model.ts';
import { SeededSource } from '../../backend/sampling/seeded-images.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { testSeed } from '../random.ts';
import { countingEngine } from './training/counting-engine.ts';
import { edmShape } from './training/edm-distillation.ts';
import { metRanks } from './training/met-ranks.ts';
import { savedBy } from './training/saved.ts';
import { stagesOf as stagesThatRun } from './training/stages.ts';
import { curves, runHere, scratch, stateBytes, tinyNetwork, tinyTeacher } from './training/tiny.ts';

const engine = await openDevice('cpu', 1);
const root = scratch();
after(async () => {
  await engine.dispose();
  fs.rmSync(root, { recursive: true });
});

const classes = 10;
const teacher = await tinyTeacher(root, { label_dim: classes });
const quiet = { samplesEvery: 0, fieldsEvery: 0, histogramsEvery: 0, healthEvery: 0 };

function config(change: object = {}, teacher = 'builtin:scenes'): DistillConfig {
  const base = {
    ...{ kind: 'distill', method: 'progressive', name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
    ...{ iterations: 6, batch: 3, record: quiet, checkpoint: { every: 2, keep: 9 } },
    stages: { steps: [4, 2, 1], iterations: 2 },
    generator: { lr: 1e-3, ema: 0.5 },
  };
  const parsed = parseConfig(JSON.stringify({ ...base, ...change }), 'tiny');
  assert.ok(parsed.kind === 'distill');
  return parsed;
}

const stagesIn = (change: object = {}) => stagesOf(progressiveConfig(config(change)));

test("a student takes every second of its teacher's steps, from the highest level to 0, and the last stage has the rest", () => {
  const stages = stagesIn({ iterations: 20, stages: { steps: [4, 2, 1], iterations: [3, 5] } });
  assert.deepEqual(
    stages.map(({ steps, first, last }) => [steps.length, first, last]),
    [
      [4, 1, 3],
      [2, 4, 8],
      [1, 9, 20],
    ],
  );
  const ladder = karrasSteps(8, { sigmaMin: 0.002, sigmaMax: 80, rho: 7 });
  assert.deepEqual(stages[2]!.steps, [{ at: 80, middle: ladder[4], next: 0 }]);
  for (const { steps } of stages) {
    const stride = 8 / steps.length;
    steps.forEach(({ at, middle, next }, i) => {
      assert.ok(Math.abs(at - ladder[i * stride]!) < 1e-12 && middle === ladder[i * stride + stride / 2]!);
      assert.equal(next, ladder[(i + 1) * stride] ?? 0);
    });
  }
  // The teacher of a stage takes two steps, which are the student's of the stage before.
  const [before, own] = stages;
  own!.steps.forEach(({ at, middle, next }, i) => {
    const [first, second] = before!.steps.slice(2 * i, 2 * i + 2);
    assert.deepEqual([at, middle, middle, next], [first!.at, first!.next, second!.at, second!.next]);
  });
  assert.deepEqual(
    [0, 1, 3, 4, 8, 9, 20, 99].map((step) => stageAt(stages, step).steps.length),
    [4, 4, 4, 2, 2, 1, 1, 1],
  );
  assert.deepEqual(stagesIn({ stages: { steps: [3], iterations: [] } })[0]!.steps.length, 3);
});

test('each stage has warm-up and decay of its own and a new optimizer; its last update passes the student on', () => {
  const given = progressiveConfig(
    config({ iterations: 12, stages: { steps: [2, 1], iterations: 5 }, generator: { lr: 1, warmup: 1, ema: 0.99 } }),
  );
  const settings = progressiveSettings(given, stagesOf(given));
  const all = Array.from({ length: 12 }, (_, i) => settings(i + 1));
  const rates = all.map(({ learningRate }) => learningRate);
  const wanted = [1, 0.75, 0.5, 0.25, 0, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0];
  for (const [i, rate] of rates.entries()) assert.ok(Math.abs(rate - wanted[i]!) < 1e-12, `${rates}`);
  assert.deepEqual(
    all.flatMap(({ fresh }, i) => (fresh ? [i + 1] : [])),
    [6],
  );
  assert.deepEqual(
    all.flatMap(({ emaDecays }, i) => (emaDecays.at(-1) === 0 ? [i + 1] : [])),
    [5],
    'the last stage passes nothing on',
  );
  assert.equal(all[0]!.emaDecays[0], all[5]!.emaDecays[0], 'averages forget the stage before');
});

const network = createNetwork({ ...tinyNetwork, label_dim: classes });
const random = stream(testSeed, 'progressive');
const drawn = (shape: readonly number[], scale = 1): TensorData => ({
  shape: [...shape],
  data: random.randn(sizeOf(shape)).map((value) => scale * value),
});
const batch = 3;
const shape = edmShape({ network, batch, matching: null, regression: null });

const flat = drawn([network.layout.size], 0.1).data;

/** With images of noise, another for each micro-batch. */
async function training(on: Engine, accumulation: number, ranks: Ranks = alone): Promise<Trainer> {
  const given = progressiveConfig(config());
  const stages = stagesOf(given);
  const procedure = await ProgressiveProcedure.create(on, {
    ...{ ...shape, weight: 'truncated-snr', stages, seed: 3, accumulation, ranks, emas: [0.5] },
    ...{ conditions: classConditions(classes), teacherWeights: new Map(), start: flat },
    real: {
      batch: async ({ step, micro }, count) => {
        const sample = [count, ...network.imageShape];
        const x = { shape: sample, data: stream(7, step, micro).randn(sizeOf(sample)) };
        return { x, conditions: { labels: { shape: [count, classes], data: new Float32Array(count * classes) } } };
      },
    },
    settings: progressiveSettings(given, stages),
  });
  return new Trainer(on, procedure);
}

test('two ranks are one process with twice the micro-batches, across a halving', async () => {
  const both = await Promise.all(metRanks(2).map((ranks) => training(engine, 1, ranks)));
  const single = await training(engine, 2);
  for (let step = 1; step <= 3; step++) {
    const [a, b] = await Promise.all(both.map((trainer) => trainer.advance()));
    assert.deepEqual(a, b);
    await single.advance();
  }
  const [first, second, one] = await Promise.all([...both, single].map(savedBy));
  assert.deepEqual(first, second);
  assert.deepEqual(first, one);
  for (const trainer of [...both, single]) await trainer.dispose();
});

test('a stage holds its teacher to the bit, which then is the student; nothing is kept on the device', async () => {
  const { engine: counting, alive } = countingEngine(engine);
  const trainer = await training(counting, 2);
  const before = alive.size;
  const buffer = async (name: string) => (await savedBy(trainer)).get('generator')!.get(name)!.data;
  const targets = [await buffer('target')];
  const students = [await buffer('parameters')];
  for (let step = 1; step <= 6; step++) {
    await trainer.advance();
    assert.equal(alive.size, before + Object.keys(trainer.tensors).length, [...alive.values()].join(', '));
    targets.push(await buffer('target'));
    students.push(await buffer('parameters'));
    assert.deepEqual(await buffer('steps'), Float32Array.of(step % 2 === 0 ? 2 : 1), 'updates of its optimizer');
  }
  assert.deepEqual(targets[0], flat);
  assert.deepEqual([targets[1], targets[2], targets[3], targets[4]], [flat, students[2], students[2], students[4]]);
  assert.deepEqual([targets[5], targets[6]], [students[4], students[4]], 'the last stage keeps its teacher');
  await trainer.advance({ onStage: async ({ names, tensor }) => names.forEach((name) => void tensor(name)) });
  await assert.rejects(
    trainer.advance({ onStage: async ({ stage, drop }) => (stage === 'loss' ? drop() : undefined) }),
  );
  assert.equal(alive.size, before);
  await trainer.dispose();
  assert.deepEqual([...alive.values()], []);
});

test('samples in so many steps are what one graph of all of them makes', async () => {
  const stages = stagesIn();
  const generator = { shape: [network.layout.size], data: drawn([network.layout.size], 0.1).data };
  const labels = {
    shape: [2, classes],
    data: Float32Array.from({ length: 2 * classes }, (_, i) => Number(i % classes === 3)),
  };
  const z = drawn([2, ...network.imageShape]);
  let { steps } = stages[0]!;
  const sampler = await StudentSampler.create(engine, shape, { count: 2, name: 'samples', steps: () => steps });
  for (const stage of stages) {
    steps = stage.steps;
    const student = studentOf(shape.student, stage);
    const program = await engine.compile(generateGraph({ ...shape, student }, 2), { name: 'whole' });
    assert.deepEqual([...sampler.inputs.keys()].sort(), [...program.inputs.keys()].sort());
    const feeds = { generator, z, labels };
    const [own, whole] = [(await sampler.run(feeds)).x!, (await program.run(feeds)).x!];
    const [a, b] = [await own.read(), await whole.read()];
    const error = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    assert.ok(error < 1e-5, `${steps.length} steps: off by ${error}`);
    own.dispose();
    whole.dispose();
    await program.dispose();
  }
  await sampler.dispose();
});

test('it is checked, planned, trains across its halvings, and goes on from a stop between with the same bits', async () => {
  const record = { samplesEvery: 3, samples: 2, healthEvery: 2, histogramsEvery: 3, fieldsEvery: 3 };
  const wanted = config({ record }, teacher);
  assert.deepEqual(await new ConfigChecker(findingsOf).problems(JSON.stringify(wanted), path.join(root, 'a.json')), []);
  const plan = await planDistillation(wanted);
  assert.ok(plan.tried && plan.imagesPerUpdate === 3 && plan.parameters.trained.generator === network.layout.size);
  const whole = await runHere({ config: wanted, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const found = curves(whole.folder);
  assert.deepEqual(
    found.get('stage/steps')!.map(([, value]) => value),
    [4, 4, 2, 2, 1, 1],
  );
  for (const tag of ['loss/student', 'norm/generator', 'rate/generator']) assert.ok(found.has(tag), tag);
  assert.ok(!found.has('vitals/updates-generator'), 'a new optimizer is no lost one');
  const first = await runHere({ config: wanted, root }, { until: 3 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped');
  await runHere({ folder: first.folder });
  assert.deepEqual(stateBytes(first.folder, 6), stateBytes(whole.folder, 6));
  const last = await openModel(path.join(whole.folder, 'generator.safetensors'));
  assert.deepEqual([last.role, last.again, last.deterministic], ['generator', [], false]);

  // A checkpoint in between is a student of more steps.
  const stages = stagesOf(progressiveConfig(wanted));
  for (const [step, calls] of [
    [2, 4],
    [4, 2],
    [6, 1],
  ] as const) {
    const saved = await writeSavedModel(whole.folder, { step }, () => ({
      folder: root,
      name: `s${step}`,
      half: false,
    }));
    const model = await openModel(saved.path);
    assert.deepEqual([generatorCalls(model), model.deterministic], [calls, calls > 1]);
    assert.deepEqual(
      model.again,
      stageAt(stages, step)
        .steps.slice(1)
        .map(({ at }) => at),
    );
  }
  // What quality measures is drawn in the steps that the student takes by then.
  const measured = config({ record: { ...quiet, quality: { every: 1 } } }, teacher);
  const session = await (await methodOf(measured).plan(measured)).start({
    ...{ engine, folder: root, signal: new AbortController().signal, report: () => {} },
    recorder: { add: () => {}, samples: () => {}, fields: () => {} },
  });
  const { weights } = await openModel(teacher);
  const student = studentOf(shape.student, stages[0]!);
  const program = await engine.compile(generateGraph({ ...shape, student }, 2), { name: 'whole' });
  const seeded = [3, 4].map((index) => stream(5, 'pictures', index, 'z').randn(sizeOf(network.imageShape)));
  const sample = sizeOf(network.imageShape);
  const z = { shape: [2, ...network.imageShape], data: new Float32Array(2 * sample) };
  seeded.forEach((noise, i) => {
    z.data.set(noise, i * sample);
  });
  const generator = { shape: [network.layout.size], data: packParameters(network.layout, weights) };
  const { x } = await program.run({ generator, z, labels: oneHot([3, 4], classes) });
  const [wantedPictures, pictures] = [await x!.read(), (await session.pictures!.draw([3, 4])).data];
  const off = pictures.reduce((most, value, i) => Math.max(most, Math.abs(value - wantedPictures[i]!)), 0);
  assert.ok(off < 1e-4, `off by ${off}`);
  x!.dispose();
  await program.dispose();
  await session.dispose();

  const { run, listed } = await stagesThatRun(engine, wanted, root);
  assert.deepEqual(run, listed);
  const [head] = methodOf(wanted).listing(wanted);
  assert.match(head!.text, /4 from 1, 2 from 3, 1 from 5/);
});

test('a run that ends before its last halving leaves a student of more steps, which is sampled by them', async () => {
  const wanted = config({ iterations: 3 }, teacher);
  const [warning, ...others] = await findingsOf(wanted);
  assert.ok(others.length === 0 && warning!.severity === 'warning' && warning!.key === 'stages.iterations');
  assert.match(
    warning!.message,
    /ends with a student of 2 steps: that of 1 begins after iteration 4, and iterations is 3/,
  );
  const { folder } = await runHere({ config: wanted, root });
  const model = await openModel(path.join(folder, 'generator.safetensors'));
  const { generatorSigma: sigma, again, deterministic } = model;
  assert.deepEqual([sigma, again.length, deterministic, generatorCalls(model)], [80, 1, true, 2]);

  const source = await SeededSource.create(engine, model.network, model.weights, 2);
  const request = {
    seeds: [3, 4],
    classes: [1, 2],
    sigma,
    again,
    deterministic,
    sampler: 'edm',
    samplerOptions: {},
  } as const;
  const two = (await source.draw({ ...request, steps: 2 })).images.data;
  // By hand: noise of each seed's own generator, Euler's step to the second level.
  const z = new StackedGenerator([3, 4]).randn(two.length / 2);
  const program = await DenoiseProgram.create(engine, { network: model.network, batch: 2, weights: model.weights });
  const labels = {
    shape: [2, classes],
    data: Float32Array.from({ length: 2 * classes }, (_, i) => Number(i === 1 || i === classes + 2)),
  };
  const given = z.map((value) => sigma * value);
  const first = await program.denoise(given, sigma, labels);
  const [next] = again;
  const moved = given.map((value, i) => value + (next! - sigma) * ((value - first[i]!) / sigma));
  const wantedImage = await program.denoise(moved, next!, labels);
  const error = (of: Float32Array) => of.reduce((most, v, i) => Math.max(most, Math.abs(v - wantedImage[i]!)), 0);
  assert.ok(error(two) < 1e-4, `off by ${error(two)}`);
  assert.deepEqual((await source.draw({ ...request, steps: 1 })).images.data, first);
  await program.dispose();
  await source.dispose();

  const onnx = path.join(root, 'g.onnx');
  assert.ok((await exportModel(model, onnx, 2)).ok);
  const opened = await openOnnxModel(onnx, 'cpu');
  assert.deepEqual([opened.role, opened.again, opened.deterministic], ['generator', again, true]);
  const exported = new SeededSource(opened.program, opened.network, opened.batch);
  const same = (await exported.draw({ ...request, steps: 2 })).images.data;
  assert.ok(error(same) < 1e-4, `the exported file is off by ${error(same)}`);
  await exported.dispose();
});

test('a mixture in the plane is learnt from its exact denoiser, then from the student', async () => {
  const mixture = {
    modes: [
      [-0.75, 0],
      [0.75, 0],
    ],
    std: 0.1,
  };
  const wanted = config(
    { mixture, record: { ...quiet, samplesEvery: 3, samples: 5, healthEvery: 2 } },
    'builtin:mixture',
  );
  const whole = await runHere({ config: wanted, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  for (const until of [2, 3]) {
    const first = await runHere({ config: wanted, root }, { until });
    await runHere({ folder: first.folder });
    assert.deepEqual(stateBytes(first.folder, 6), stateBytes(whole.folder, 6), `stopped after ${until}`);
  }
  assert.deepEqual(await findingsOf(wanted), []);
  assert.ok((await planDistillation(wanted)).tried);
  // The playground's view of it: samples in the student's own steps, and the teacher's field.
  const session = await (await methodOf(wanted).plan(wanted)).start({
    ...{ engine, folder: root, signal: new AbortController().signal, report: () => {} },
    recorder: { add: () => {}, samples: () => {}, fields: () => {} },
  });
  const asked = { samples: 7, sigma: 0.5, columns: 3, rows: 2, shade: 0, left: -1, right: 1, top: 1, bottom: -1 };
  const seen = await session.readPlane!(0, asked);
  assert.ok(seen.samples.length === 14 && seen.muReal.length === 12 && seen.samples.every(Number.isFinite));
  assert.equal(session.inspect, undefined);
  await session.dispose();
});

test('what does not go together is said at its key', async () => {
  const texts = (change: object) =>
    configProblems(JSON.stringify({ kind: 'distill', method: 'progressive', ...change }))
      .map(({ what }) => what)
      .join();
  assert.match(texts({ stages: { steps: [8, 3] } }), /stages\.steps\.1.*must be half of the 8 before it, 4/);
  assert.match(texts({ stages: { steps: [3, 1] } }), /must be half of the 3 before it, 1\.5/);
  assert.match(texts({ stages: { steps: [] } }), /stages\.steps/);
  assert.match(texts({ stages: { steps: [1, 2] } }), /must be half of the 1 before it/);
  assert.match(
    texts({ stages: { steps: [4, 2, 1], iterations: [5] } }),
    /stages\.iterations.*one number, or 2: one for each of the 3/,
  );
  assert.match(texts({ stages: { iterations: 0 } }), /stages\.iterations/);
  assert.match(texts({ levels: { sigmaMin: 90 } }), /levels\.sigmaMin.*must be below sigmaMax/);
  assert.match(texts({ matching: {} }), /matching/);
  assert.equal(texts({ stages: { steps: [1], iterations: [] } }), '');

  const found = async (given: DistillConfig) => {
    const findings = await findingsOf(given);
    await assert.rejects(methodOf(given).plan(given), `the run itself: ${JSON.stringify(findings)}`);
    return findings.map(({ key, message }) => `${key} ${message}`).join();
  };
  const three = path.join(root, 'three');
  fs.mkdirSync(three);
  const other = await tinyTeacher(three);
  assert.match(await found(config({}, other)), /^data\.source.*has 10 classes, but the teacher has 3/);
  const text = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
  assert.match(await found(config({ text: { prompts: 'scenes' } }, text)), /^teacher .*is a text-to-image model/);

  // What was trained belongs to its stage.
  const stopped = await runHere({ config: config({}, teacher), root }, { until: 3 });
  const set = ['stages.steps=[2,1]'];
  const { last } = await runHere({ folder: stopped.folder }, { set });
  assert.ok(last.type === 'failed', JSON.stringify(last));
  assert.match(last.error.message, /stages cannot change when a run is resumed/);
});

test('the presets halve down to one step, and every stage is reached', () => {
  for (const name of ['scenes-progressive', 'figure-3-progressive']) {
    const preset = progressiveConfig(presetConfig('distill', name, '/') as DistillConfig);
    const last = stagesOf(preset).at(-1)!;
    assert.ok(last.steps.length === 1 && last.last === preset.iterations && last.first < preset.iterations, name);
  }
});
