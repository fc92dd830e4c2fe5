/**
 * Consistency distillation by itself: the boundary condition, the gradient by finite differences, a run that is stopped and resumed, its
 * generator in one step and more, points of the plane; and what is wrong in a config said at its key.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { oneHot } from '../../backend/data/dataset.ts';
import { mixtureDenoiser } from '../../backend/data/mixture.ts';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import { anySigma } from '../../backend/diffusion/sampler.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { exportModel } from '../../backend/export/export-model.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import { unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { streamConsistencyDraws } from '../../backend/methods/consistency/draws.ts';
import { consistencyGraph } from '../../backend/methods/consistency/graphs.ts';
import { consistencyConfig } from '../../backend/methods/consistency/method.ts';
import { PathProbe } from '../../backend/methods/consistency/path-probe.ts';
import { ConsistencyProcedure } from '../../backend/methods/consistency/procedure.ts';
import { adjustableOf, adjusted, consistencySettings } from '../../backend/methods/consistency/settings.ts';
import { methodOf } from '../../backend/methods/index.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { edmBoundary } from '../../backend/models/consistency.ts';
import { edmModel } from '../../backend/models/edm-model.ts';
import { openModel, rolesOf } from '../../backend/models/model-file.ts';
import { trainedPart } from '../../backend/models/trained-part.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { configProblems, type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { alone, type Ranks } from '../../backend/ranks/ranks.ts';
import { RunSubject } from '../../backend/runs/inspect/run-subject.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { openOnnxModel } from '../../backend/sampling/onnx-model.ts';
import { SeededSource } from '../../backend/sampling/seeded-images.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { testSeed } from '../random.ts';
import { edmShape } from './training/edm-distillation.ts';
import { metRanks } from './training/met-ranks.ts';
import { savedBy } from './training/saved.ts';
import { stagesOf } from './training/stages.ts';
import { curves, runHere, scratch, stateBytes, tinyNetwork, tinyTeacher } from './training/tiny.ts';

const random = stream(testSeed, 'consistency');
const engine = await openDevice('cpu', 1);
const root = scratch();
after(async () => {
  await engine.dispose();
  fs.rmSync(root, { recursive: true });
});

const classes = 10;
const teacher = await tinyTeacher(root, { label_dim: classes });
const quiet = { samplesEvery: 0, fieldsEvery: 0, histogramsEvery: 0, healthEvery: 0, probeEvery: 0 };

function configOf(change: object = {}): DistillConfig {
  const config = {
    ...{ kind: 'distill', method: 'consistency', name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
    ...{ iterations: 4, batch: 3, record: quiet, checkpoint: { every: 0 } },
    ...{ generator: { lr: 1e-3, warmup: 2, ema: 0.9 }, levels: { count: 6 } },
  };
  const parsed = parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
  assert.ok(parsed.kind === 'distill');
  return parsed;
}

async function run(graph: Graph, feeds: Record<string, TensorData>): Promise<Record<string, Float32Array>> {
  const program = await engine.compile(graph, { name: 'test' });
  const found: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(await program.run(feeds))) {
    found[name] = (await tensor.read()).slice();
    tensor.dispose();
  }
  await program.dispose();
  return found;
}

const normal = (shape: readonly number[], scale = 1): TensorData => ({
  shape: [...shape],
  data: random.randn(sizeOf(shape)).map((value) => scale * value),
});

test('at the lowest level a consistency model returns what it is given, at the highest the denoised image', async () => {
  const sigmas = Float32Array.of(0.002, 0.5, 80);
  const graph = new Graph();
  const [x, clean] = [graph.input('x', [3, 1]), graph.input('clean', [3, 1])];
  const sigma = graph.input('sigma', [3]);
  graph.output('f', edmBoundary(0.002, 0.5).returned(x, clean, { t: sigma, alpha: null, sigma }));
  const given = sigmas.map((s) => 1 + s);
  const { f } = await run(graph, {
    x: { shape: [3, 1], data: given },
    clean: { shape: [3, 1], data: Float32Array.of(-1, -1, -1) },
    sigma: { shape: [3], data: sigmas },
  });
  assert.ok(Math.abs(f![0]! - given[0]!) < 1e-6, `${f![0]}`);
  assert.ok(Math.abs(f![1]! + 1) > 1e-3 && Math.abs(f![1]! + 1) < 2e-2, 'in between it is near the denoised image');
  assert.ok(Math.abs(f![2]! + 1) < 3e-5, `${f![2]}`);
});

for (const target of [true, false]) {
  test(`the gradient is that of the generator alone, ${target ? 'beside a target' : 'its own target held still'}`, async () => {
    const network = createNetwork({ ...tinyNetwork, label_dim: classes });
    const begun = edmShape({ network, batch: 3, matching: null, regression: null, sigmas: [0.1, 1, 10] });
    const shape = {
      ...({ ...begun, target, solver: 'heun', distance: l2Distance, steps: [{ from: 1, to: 0 }] } as const),
      student: { ...begun.student, boundary: edmBoundary(0.05, 0.5) },
    };
    const graph = consistencyGraph(shape);
    const levels: Record<string, number> = { sigma: 0.9, sigmaNext: 0.4 };
    const feeds = Object.fromEntries(
      [...graph.inputs].map(([name, { shape: of }]): [string, TensorData] => {
        if (levels[name])
          return [name, { shape: of, data: Float32Array.from({ length: 3 }, (_, i) => levels[name]! * (1 + i)) }];
        return [name, normal(of, /generator|teacher|target/.test(name) ? 0.15 : 1)];
      }),
    );
    const found = await run(graph, feeds);
    const loss = found.x!.reduce((sum, value, i) => sum + (value - found.xTarget![i]!) ** 2, 0) / found.x!.length;
    assert.ok(Math.abs(found.report![0]! - loss) < 1e-5 * loss);
    const { shape: flat, data } = feeds.generator!;
    // Enough of the gradient is in it that the slope is none of the small ones which rounding drowns.
    const length = Math.sqrt(found.gradient!.reduce((sum, value) => sum + value * value, 0));
    const direction = normal(flat).data.map((value, i) => value + (4 * found.gradient![i]!) / length);
    const step = 2e-4;
    // Along the generator in its place at the higher level: the target stays what it was.
    const lossAt = async (sign: number) => {
      const moved = { shape: flat, data: data.map((value, i) => value + sign * step * direction[i]!) };
      const { x } = await run(graph, { ...feeds, generator: moved });
      return x!.reduce((sum, value, i) => sum + (value - found.xTarget![i]!) ** 2, 0) / x!.length;
    };
    const slope = ((await lossAt(1)) - (await lossAt(-1))) / (2 * step);
    const along = found.gradient!.reduce((sum, value, i) => sum + value * direction[i]!, 0);
    assert.ok(Math.abs(along - slope) < 0.02 * Math.abs(slope), `${along}, not ${slope}`);
  });
}

test('it is checked, planned, trains, and goes on from a stop with the same bits, target included', async () => {
  const record = {
    ...quiet,
    samplesEvery: 2,
    samples: 2,
    healthEvery: 2,
    histogramsEvery: 2,
    fieldsEvery: 2,
    probeEvery: 2,
  };
  const config = configOf({ record, accumulation: 2 });
  assert.deepEqual(await new ConfigChecker(findingsOf).problems(JSON.stringify(config), path.join(root, 'a.json')), []);
  const plan = await planDistillation(config);
  assert.ok(plan.tried && plan.imagesPerUpdate === 6 && plan.pairs === null);
  assert.deepEqual(Object.keys(plan.parameters.trained), ['generator'], 'there is no fake score');

  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const tags = curves(whole.folder);
  for (const tag of ['loss/consistency', 'norm/generator', 'rate/generator', 'target/decay', 'vitals/diversity']) {
    assert.ok(tags.has(tag), `${tag} of ${[...tags.keys()]}`);
  }
  assert.deepEqual(
    tags.get('probe/path/5')!.map(([step]) => step),
    [0, 2, 4],
    'at the level that it is called at',
  );
  const states = Object.keys(stateBytes(whole.folder, 4)).filter((name) => name.endsWith('.safetensors'));
  assert.deepEqual(states, ['generator.safetensors']);
  // Without anything recorded the bits are the same.
  const first = await runHere({ config: configOf({ accumulation: 2 }), root }, { until: 2 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped');
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished');
  assert.deepEqual(stateBytes(first.folder, 4), stateBytes(whole.folder, 4));
});

test('the finished generator says its boundary, is sampled in its steps, and exported with it', async () => {
  const whole = await runHere({ config: configOf({ steps: { at: [4, 0.01] }, iterations: 2 }), root });
  const model = await openModel(path.join(whole.folder, 'generator.safetensors'));
  assert.deepEqual([model.role, model.again, model.boundary], ['generator', [4, 0.01], 0.002]);
  const { generatorSigma: sigma, again } = model;
  const request = {
    seeds: [3, 4],
    classes: [1, 2],
    sigma,
    again,
    sampler: 'edm',
    samplerOptions: {},
    steps: 3,
  } as const;
  const own = await SeededSource.create(engine, model.network, model.weights, 2);
  const three = (await own.draw(request)).images.data;
  await own.dispose();
  const begun = await runHere({
    config: configOf({ generator: { lr: 0, warmup: 0, ema: 0, initial: model.path }, iterations: 1 }),
    root,
  });
  const same = await openModel(path.join(begun.folder, 'generator.safetensors'));
  assert.deepEqual(same.weights, model.weights, 'another run begins with it');
  const onnx = path.join(root, 'g.onnx');
  assert.ok((await exportModel(model, onnx, 2)).ok);
  const opened = await openOnnxModel(onnx, 'cpu');
  const exported = new SeededSource(opened.program, opened.network, opened.batch);
  const again3 = (await exported.draw(request)).images.data;
  assert.ok(again3.every((value, i) => Math.abs(value - three[i]!) < 1e-4));
  await exported.dispose();
  for (const text of ['-1', 'x', '0', '0.02']) {
    const metadata = { 'dmd.boundary': text, 'dmd.again': '[0.01]' };
    assert.throws(
      () => rolesOf(metadata, 'a.safetensors'),
      /'dmd\.boundary' must be a noise level above 0 and at most 0\.01/,
    );
  }
});

test('draws are pure functions of the point, within their ranges; what a person changes holds', () => {
  const draws = streamConsistencyDraws(3, [2]);
  const at = { step: 7, micro: 1, update: 0 };
  const { indices, noise } = draws.step(at, 200, { first: 0, last: 4 });
  assert.deepEqual(draws.step(at, 200, { first: 0, last: 4 }), { indices, noise });
  assert.deepEqual([...new Set(indices)].sort(), [0, 1, 2, 3, 4]);
  const scales = draws.guidance(at, 200, [2, 9]);
  assert.ok(Math.min(...scales) >= 2 && Math.max(...scales) <= 9 && Math.max(...scales) - Math.min(...scales) > 5);
  assert.ok(draws.guidance(at, 3, [4, 4]).every((scale) => scale === 4));

  const settings = consistencySettings(consistencyConfig(configOf()));
  const adjustable = adjustableOf({ target: true, guidance: false }, settings);
  assert.equal(adjustable.natural(1)['target.decay'], 0.95);
  assert.equal(settings(1).generator.learningRate, 5e-4, 'halfway through the warm-up');
  adjustable.overrides.set('target.decay', 0.5).set('generator.lr', 2);
  const now = adjusted(adjustable, settings(1));
  assert.deepEqual([now.targetDecay, now.generator.learningRate], [0.5, 2]);
});

test('the probe tells a generator that knows the ends of the paths from one that does not', async () => {
  // Two modes far from any doubt: from sigma 3 down the path of their exact denoiser is all but straight.
  const denoiser = { ...mixtureDenoiser({ modes: [[2, 1]], std: 0.05 }), ...anySigma };
  const options = {
    sigmas: karrasSigmas(9, { sigmaMin: 0.002, sigmaMax: 3, rho: 7 }),
    generatorSigma: 3,
    sigmaData: 0.5,
  };
  const model = edmModel(denoiser, options);
  const part = trainedPart(model.layout, null);
  const steps = Array.from({ length: 8 }, (_, i) => ({ from: i + 1, to: i }));
  const error = async (change: object) => {
    const shape = {
      ...{ teacher: model, student: model, generator: part, fake: part, batch: 2, matching: null, regression: null },
      ...{ pairsMatch: false, guidance: 1, halfTeacher: false, steps, distance: l2Distance, target: false },
      ...({ solver: 'heun', ...change } as const),
    };
    const probe = new PathProbe(engine, shape, classConditions(0), { guidance: 1, levels: 3 });
    const none = engine.upload({ shape: [0], data: new Float32Array() });
    const errors = await probe.read([none], [none]);
    assert.deepEqual(await probe.read([none], [none]), errors, 'the same noise and path every time');
    none.dispose();
    await probe.dispose();
    return errors;
  };
  // The only mode's denoiser gives its middle, where paths end within its spread.
  const own = await error({});
  assert.deepEqual(Object.keys(own), ['probe/path/8', 'probe/path/5', 'probe/path/1']);
  assert.ok(own['probe/path/8']! < 0.1 && own['probe/path/1']! < 0.02, JSON.stringify(own));
  // One that returns what it is given knows nothing at the top, and all at the bottom.
  const idle = { ...model, boundary: { lowest: 3, returned: (xt: Tensor) => xt } };
  const blind = await error({ student: idle });
  assert.ok(blind['probe/path/8']! > 1 && blind['probe/path/1']! < 0.02, JSON.stringify(blind));
});

test('two ranks are one process with twice the micro-batches, and have the same target', async (t) => {
  const network = createNetwork({ ...tinyNetwork, label_dim: classes });
  const flat = normal([network.layout.size], 0.1).data;
  const update = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 1 };
  const trainerOf = async (ranks: Ranks, accumulation: number) => {
    const begun = edmShape({ network, batch: 3, matching: null, regression: null, sigmas: [0.1, 1, 10] });
    const procedure = await ConsistencyProcedure.create(engine, {
      ...{ ...begun, solver: 'heun', distance: l2Distance, target: true, emas: [], accumulation, ranks, seed: 3 },
      steps: [
        { from: 1, to: 0 },
        { from: 2, to: 1 },
      ],
      student: { ...begun.student, boundary: edmBoundary(0.05, 0.5) },
      teacherWeights: unpackParameters(network.layout, flat),
      ...{ conditions: classConditions(classes), start: { generator: flat } },
      real: {
        batch: async ({ step, micro }, count) => {
          const drawn = stream(7, step, micro);
          const shape = [count, ...network.imageShape];
          const x = { shape, data: drawn.randn(sizeOf(shape)) };
          return { x, conditions: { labels: oneHot([...drawn.randint(0, classes, count)], classes) } };
        },
      },
      settings: () => ({ generator: { ...update, emaDecays: [] }, targetDecay: 0.7, guidance: [1, 1] }),
    });
    const trainer = new Trainer(engine, procedure);
    t.after(() => trainer.dispose());
    return trainer;
  };
  const both = await Promise.all(metRanks(2).map((ranks) => trainerOf(ranks, 1)));
  const single = await trainerOf(alone, 2);
  for (let step = 1; step <= 2; step++) {
    const [a, b] = await Promise.all(both.map((trainer) => trainer.advance()));
    assert.deepEqual(a, b);
    await single.advance();
  }
  const [first, second, one] = await Promise.all([...both, single].map(savedBy));
  assert.deepEqual(first, second);
  assert.deepEqual(first, one);
  const { target, parameters } = Object.fromEntries(one!.get('generator')!);
  assert.notDeepEqual(target!.data, parameters!.data);
});

test('points of the plane need no data, and are shown', async () => {
  const mixture = {
    modes: [
      [-1, 0],
      [1, 0.5],
    ],
    std: 0.2,
    width: 8,
  };
  const config = configOf({ teacher: 'builtin:mixture', mixture, levels: { count: 5, sigmaMax: 10 }, solver: 'euler' });
  const { folder, last } = await runHere({ config, root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const model = await openModel(path.join(folder, 'generator.safetensors'));
  assert.deepEqual([model.generatorSigma, model.boundary], [10, 0.002]);
  const session = await (await methodOf(config).plan(config)).start({
    ...{ engine, folder: root, signal: new AbortController().signal, report: () => {} },
    recorder: { add: () => {}, samples: () => {}, fields: () => {} },
  });
  const area = { left: -2, right: 2, bottom: -2, top: 2, columns: 3, rows: 3, shade: 1 };
  const reading = await session.readPlane!(0, { ...area, samples: 4, sigma: 1 });
  assert.ok(reading.samples.every(Number.isFinite) && reading.muFake === null);
  assert.equal(session.inspect, undefined);
  await session.dispose();
  // The finished run, out of its last checkpoint.
  const subject = await RunSubject.open(folder);
  const after = await subject.plane({ ...area, samples: 4, sigma: 1 });
  assert.ok(after.step === 4 && after.samples.every(Number.isFinite) && after.muFake === null);
  assert.notDeepEqual(after.samples, reading.samples);
  await subject.dispose();
});

test('a run of pictures says that it has no scores', async () => {
  const { folder } = await runHere({ config: configOf({ iterations: 1 }), root });
  await assert.rejects(RunSubject.open(folder), /consistency has no scores to inspect/);
});

test('the listing has a line for every stage that runs, and for no other', async () => {
  for (const decay of [0, 0.9]) {
    const config = configOf({ target: { decay }, iterations: 1 });
    const { run, listed } = await stagesOf(engine, config, root);
    assert.deepEqual(run, listed);
    const lines = methodOf(config).listing(config);
    assert.equal(/target =/.test(lines.map(({ text }) => text).join()), decay > 0);
  }
});

test('what does not go together is said at its key', async () => {
  const texts = (change: object) =>
    configProblems(JSON.stringify({ kind: 'distill', method: 'consistency', ...change }))
      .map(({ what }) => what)
      .join();
  assert.match(texts({ steps: { at: [3, 3] } }), /steps\.at\.1.*levels must descend/);
  assert.match(texts({ steps: { at: [0.001] } }), /steps\.at\.0.*must not be below levels\.sigmaMin, 0\.002/);
  assert.match(texts({ levels: { sigmaMin: 3, sigmaMax: 2 } }), /levels\.sigmaMin.*must be below sigmaMax, 2/);
  assert.match(texts({ levels: { count: 1 } }), /levels\.count/);
  assert.match(texts({ loss: { distance: 'lpips' } }), /loss\.distance.*lpips needs loss\.lpipsWeights/);
  assert.match(texts({ target: { decay: 1 } }), /target\.decay/);
  assert.match(texts({ matching: {} }), /matching/);

  const found = async (change: object) => {
    const config = configOf(change);
    const findings = await findingsOf(config);
    await assert.rejects(methodOf(config).plan(config), `the run itself: ${JSON.stringify(findings)}`);
    return findings.map(({ key, message }) => `${key} ${message}`).join();
  };
  assert.match(await found({ steps: { at: [90] } }), /^steps\.at.*90 is no step of this generator, which begins at 80/);
  const three = path.join(root, 'three');
  fs.mkdirSync(three);
  assert.match(
    await found({ teacher: await tinyTeacher(three) }),
    /^data\.source.*has 10 classes, but the teacher has 3/,
  );
  const text = path.resolve('test/golden/tiny-diffusion/model');
  const prompts = path.join(root, 'prompts.txt');
  fs.writeFileSync(prompts, 'a red circle\n');
  assert.match(
    await found({ teacher: text, text: { prompts } }),
    /^teacher.*is a text-to-image model, whose noise levels/,
  );
  assert.match(
    await found({ loss: { distance: 'lpips', lpipsWeights: path.join(root, 'none') } }),
    /^loss\.lpipsWeights/,
  );
});
