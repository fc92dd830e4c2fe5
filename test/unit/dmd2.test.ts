/**
 * DMD2 by itself: its losses and their gradients by arithmetic and finite differences, its settings, and a run that is stopped and
 * resumed, with what is wrong in its config and its data said at the key.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { encodePng } from '../../backend/data/png.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { exportModel } from '../../backend/export/export-model.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { matmul, reshape } from '../../backend/graph/ops/index.ts';
import { collectParameters, packParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { laterSteps } from '../../backend/methods/common/later-steps.ts';
import { mixturePoints } from '../../backend/methods/common/mixture-points.ts';
import { dmd2Config } from '../../backend/methods/dmd2/as-dmd.ts';
import { divergenceWeights } from '../../backend/methods/dmd2/divergence.ts';
import {
  type Dmd2Shape,
  discriminatorGraph,
  discriminatorReport,
  generatorGraph,
  generatorReport,
  headGradient,
  softplus,
} from '../../backend/methods/dmd2/graphs.ts';
import { type Head, headOf } from '../../backend/methods/dmd2/head.ts';
import { Dmd2Procedure } from '../../backend/methods/dmd2/procedure.ts';
import { dmd2Settings } from '../../backend/methods/dmd2/settings.ts';
import { methodOf } from '../../backend/methods/index.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { generatorCalls, openModel, rolesOf } from '../../backend/models/model-file.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { type Config, configProblems, type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { StackedGenerator } from '../../backend/random/stacked-generator.ts';
import { stream } from '../../backend/random/stream.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { DenoiseProgram } from '../../backend/sampling/denoise-program.ts';
import { openOnnxModel } from '../../backend/sampling/onnx-model.ts';
import { SeededSource } from '../../backend/sampling/seeded-images.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { testSeed } from '../random.ts';
import { countingEngine } from './training/counting-engine.ts';
import { edmShape } from './training/edm-distillation.ts';
import { stagesOf } from './training/stages.ts';
import { curves, runHere, scratch, stateBytes, tinyNetwork, tinyTeacher } from './training/tiny.ts';

const draws = stream(testSeed, 'dmd2');
const normal = () => draws.randn(1)[0]!;

const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

const classes = 10;
const batch = 3;
const network = createNetwork({ ...tinyNetwork, label_dim: classes });

function shapeWith(gan: Partial<NonNullable<Dmd2Shape['gan']>> = {}): Dmd2Shape {
  const matching = { weight: 'eq8', realOnly: false } as const;
  const shape = edmShape({ network, batch, matching, regression: null, sigmas: [0.1, 1, 10] });
  const head = headOf(shape.student)!;
  return { ...shape, divergence: 'reverse-kl', gan: { head, features: 'fake', trainsTrunk: true, r1: null, ...gan } };
}

const random = (shape: readonly number[], scale = 1): TensorData => ({
  shape: [...shape],
  data: Float32Array.from({ length: sizeOf(shape) }, () => scale * normal()),
});

/** Numbers for every input of a graph, parameters among them. */
function feedsFor(graph: Graph): Record<string, TensorData> {
  return Object.fromEntries(
    [...graph.inputs].map(([name, { shape }]): [string, TensorData] => {
      const flat = ['generator', 'fake', 'teacher', 'discriminator'].includes(name);
      if (name.startsWith('sigma'))
        return [name, { shape, data: Float32Array.from({ length: batch }, (_, i) => 0.3 + i) }];
      if (name.startsWith('labels')) {
        return [
          name,
          { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Number(i % classes === 2)) },
        ];
      }
      return [
        name,
        flat ? random(shape, 0.15) : shape.length === 0 ? { shape, data: Float32Array.of(0.7) } : random(shape),
      ];
    }),
  );
}

async function run(graph: Graph, feeds: Record<string, TensorData>): Promise<Record<string, Float32Array>> {
  const program = await engine.compile(graph, { name: 'test' });
  const results = await program.run(feeds);
  const found: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(results)) {
    found[name] = (await tensor.read()).slice();
    tensor.dispose();
  }
  await program.dispose();
  return found;
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/**
 * The slope of `value` by central differences, along a direction of one input that is drawn, with enough of the gradient in it that the slope
 * is none of the small ones which the rounding of two losses drowns.
 */
async function slope(
  graph: Graph,
  feeds: Record<string, TensorData>,
  name: string,
  value: (of: Record<string, Float32Array>) => number,
  gradient: Float32Array,
) {
  const { shape, data } = feeds[name]!;
  const length = Math.sqrt(dot(gradient, gradient));
  const direction = Float32Array.from(data, (_, i) => normal() + (4 * gradient[i]!) / length);
  const step = 2e-4;
  const moved = (sign: number) => ({
    ...feeds,
    [name]: { shape, data: data.map((v, i) => v + sign * step * direction[i]!) },
  });
  const [up, down] = [await run(graph, moved(1)), await run(graph, moved(-1))];
  return { direction, slope: (value(up) - value(down)) / (2 * step) };
}

const near = (actual: number, wanted: number, tolerance: number, what: string) =>
  assert.ok(
    Math.abs(actual - wanted) <= tolerance * Math.max(Math.abs(wanted), 1e-3),
    `${what}: ${actual}, not ${wanted}`,
  );

test('softplus keeps to log(1 + exp(x)) where that can be computed, and to max(x, 0) where it cannot', async () => {
  const graph = new Graph();
  const x = graph.input('x', [5]);
  graph.output('y', softplus(x));
  const { y } = await run(graph, { x: { shape: [5], data: Float32Array.of(-200, -2, 0, 3, 200) } });
  [0, Math.log1p(Math.exp(-2)), Math.log(2), Math.log1p(Math.exp(3)), 200].forEach((wanted, i) => {
    assert.ok(Math.abs(y![i]! - wanted) < 1e-6 * Math.max(1, wanted), `${y![i]}, not ${wanted}`);
  });
});

test('the divergence weights are h(r), on average 1, with r held between its limits', async () => {
  const logits = Float32Array.of(-9, -1, 0, 2);
  const of: Record<string, (r: number) => number> = {
    'forward-kl': (r) => r,
    'jensen-shannon': (r) => r / (1 + r),
    hellinger: Math.sqrt,
    'softened-reverse-kl': (r) => 1 / (1 + r),
    jeffreys: (r) => 1 + r,
  };
  for (const [name, h] of Object.entries(of)) {
    const graph = new Graph();
    graph.output('w', divergenceWeights(name as 'jeffreys', graph.input('logits', [4]))!);
    const { w } = await run(graph, { logits: { shape: [4], data: logits } });
    const weights = [...logits].map((l) => h(Math.exp(Math.max(-5, l))));
    const mean = weights.reduce((sum, v) => sum + v, 0) / 4;
    for (const [i, v] of weights.entries()) assert.ok(Math.abs(w![i]! - v / mean) < 1e-5, `${name}: ${w}`);
  }
  assert.equal(divergenceWeights('reverse-kl', new Graph().input('logits', [4])), null);
});

test("the generator's gradient is that of the matching loss and the GAN loss together", async () => {
  const graph = generatorGraph(shapeWith());
  const feeds = feedsFor(graph);
  const found = await run(graph, feeds);
  const [lossMatching, lossGan] = generatorReport.map((_, i) => found.report![i]!) as [number, number];
  const logits = found.logitsGan!;
  near(lossGan, logits.reduce((sum, l) => sum + Math.log1p(Math.exp(-l)), 0) / batch, 1e-5, 'GAN loss');
  near(lossMatching, dot(found.grad!, found.grad!) / (2 * found.grad!.length), 1e-5, 'matching loss');
  // What descends: grad x / numbers, the gradient held still, and the weighed GAN loss.
  const grad = found.grad!;
  const value = (of: Record<string, Float32Array>) => dot(grad, of.x!) / grad.length + 0.7 * of.report![1]!;
  const moved = await slope(graph, feeds, 'generator', value, found.gradient!);
  near(dot(found.gradient!, moved.direction), moved.slope, 0.02, 'slope');
});

test('another divergence weighs each sample of the gradient', async () => {
  const graph = generatorGraph({ ...shapeWith(), divergence: 'jensen-shannon' });
  const feeds = { ...feedsFor(graph), ganWeight: { shape: [], data: Float32Array.of(0) } };
  const found = await run(graph, feeds);
  const weights = found.divergenceWeight!;
  near(
    weights.reduce((sum, w) => sum + w, 0),
    batch,
    1e-5,
    'sum of weights',
  );
  assert.ok(Math.max(...weights) - Math.min(...weights) > 1e-4, `${weights}`);
  const grad = found.grad!;
  const weighed = grad.map((g, i) => g * weights[Math.floor((i * batch) / grad.length)]!);
  const moved = await slope(graph, feeds, 'generator', ({ x }) => dot(weighed, x!) / grad.length, found.gradient!);
  near(dot(found.gradient!, moved.direction), moved.slope, 0.02, 'slope');
});

for (const trainsTrunk of [true, false]) {
  test(`fake score and head learn from their losses; the encoder ${trainsTrunk ? 'from both' : 'from its own alone'}`, async () => {
    const graph = discriminatorGraph(shapeWith({ trainsTrunk, r1: { gamma: 0.5, noise: 0.05 } }));
    const feeds = feedsFor(graph);
    const found = await run(graph, feeds);
    const at = (name: (typeof discriminatorReport)[number], of = found) =>
      of.report![discriminatorReport.indexOf(name)]!;
    const softplusOf = (x: number) => Math.log1p(Math.exp(x));
    const [fake, real] = [found.logitsOfFake!, found.logitsOfReal!];
    const loss = fake.reduce((sum, l, i) => sum + softplusOf(l) + softplusOf(-real[i]!), 0) / batch;
    near(at('lossDiscriminator'), loss, 1e-5, 'discriminator loss');
    near(at('logitReal'), real.reduce((sum, l) => sum + l, 0) / batch, 1e-5, 'mean logit');
    const right = [...real].filter((l) => l > 0).length + [...fake].filter((l) => l < 0).length;
    near(at('right'), right / (2 * batch), 1e-6, 'share right');
    assert.ok(at('penaltyR1') > 0);
    const weighed = (of: Record<string, Float32Array>) => 0.7 * (at('lossDiscriminator', of) + at('penaltyR1', of));
    const head = await slope(graph, feeds, 'discriminator', weighed, found[headGradient]!);
    near(dot(found[headGradient]!, head.direction), head.slope, 0.03, 'slope of the head');
    const trunk = await slope(
      graph,
      feeds,
      'fake',
      (of) => at('lossFake', of) + (trainsTrunk ? weighed(of) : 0),
      found.gradient!,
    );
    near(dot(found.gradient!, trunk.direction), trunk.slope, 0.03, 'slope of the fake score');
  });
}

test('the R1 penalty of a linear discriminator is gamma/2 of its squared slope along the noise, whatever the size of that', async () => {
  const numbers = sizeOf(network.imageShape);
  const logits: Head['logits'] = (source, features) => {
    const weight = source.get('weight', [numbers, 1], { kind: 'zeros' });
    return reshape(matmul(reshape(features, [features.shape[0]!, numbers]), weight), [features.shape[0]!]);
  };
  const layout = collectParameters((source) => logits(source, source.graph.input('x', [1, ...network.imageShape])));
  for (const noise of [0.02, 0.5]) {
    const shape = shapeWith({ head: { layout, logits }, r1: { gamma: 0.8, noise } });
    const graph = discriminatorGraph({
      ...shape,
      student: { ...shape.student, features: (_, xt) => xt },
      gan: { ...shape.gan!, trainsTrunk: false },
    });
    const feeds = feedsFor(graph);
    const { report } = await run(graph, feeds);
    const weight = feeds.discriminator!.data;
    const slopes = Array.from({ length: batch }, (_, i) =>
      dot(weight, feeds.noiseR1!.data.subarray(i * numbers, (i + 1) * numbers)),
    );
    const wanted = (0.8 / 2) * (slopes.reduce((sum, s) => sum + s * s, 0) / batch);
    near(report![discriminatorReport.indexOf('penaltyR1')]!, wanted, 1e-3, `with noise ${noise}`);
  }
});

test('a head halves features down to 4 x 4 and then takes all of them, whatever their size', () => {
  const names = (side: number, channels: number) => {
    const model = { ...shapeWith().student };
    const features: NonNullable<typeof model.features> = (_, xt) => xt;
    const { layout } = headOf({ ...model, shape: [channels, side, side], features })!;
    return layout.entries.map(({ name, shape }) => `${name} ${shape.join('x')}`);
  };
  assert.deepEqual(
    names(1, 6).filter((name) => /weight/.test(name)),
    ['conv0.weight 6x6x1x1', 'norm0.weight 6', 'out.weight 1x6x1x1'],
  );
  assert.deepEqual(
    names(16, 8).filter((name) => /conv.*weight/.test(name)),
    ['conv0.weight 8x8x4x4', 'conv1.weight 8x8x4x4', 'conv2.weight 8x8x4x4'],
  );
  assert.deepEqual(
    names(7, 4).filter((name) => /conv.*weight/.test(name)),
    ['conv0.weight 4x4x4x4', 'conv1.weight 4x4x3x3'],
  );
});

const quiet = { samplesEvery: 0, fieldsEvery: 0, probeEvery: 0, histogramsEvery: 0, healthEvery: 0 };

function configOf(teacher: string, change: object = {}): Config {
  const config = {
    ...{ kind: 'distill', method: 'dmd2', name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
    ...{ iterations: 6, batch: 2, record: quiet, checkpoint: { every: 0 } },
    generator: { lr: 1e-3, warmup: 2, ema: 0.9 },
    fake: { lr: 2e-3, warmup: 2, updatesPerStep: 3 },
    discriminator: { lr: 2e-3, warmup: 0 },
  };
  return parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
}

test('schedules change weights and learning rates from stage to stage', () => {
  const schedules = {
    generatorWeight: [
      [3, 0],
      [4, 0.001],
    ],
    generatorLr: [
      [3, 1e-5],
      [4, 5e-7],
    ],
    discriminatorLr: [[1, 7e-4]],
  };
  const config = configOf('builtin:scenes', {
    schedules,
    generator: { lr: 1, warmup: 0 },
    discriminator: { warmup: 2 },
  });
  const settings = dmd2Settings(dmd2Config(config as DistillConfig));
  assert.deepEqual(
    [1, 3, 4, 6].map((step) => settings(step).generatorWeight),
    [0, 0, 0.001, 0.001],
  );
  assert.deepEqual(
    [3, 4, 5].map((step) => settings(step).generator.learningRate),
    [1e-5, 5e-7, 5e-7],
  );
  assert.deepEqual(
    [1, 2, 3].map((step) => settings(step).discriminator.learningRate),
    [3.5e-4, 7e-4, 7e-4],
  );
  assert.equal(settings(1).discriminatorWeight, 0.01, "the paper's");
});

test('it is checked, planned, trains its three networks, and goes on from a stop with the same bits', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root, { label_dim: classes });
  const record = { ...quiet, samplesEvery: 3, samples: 2, probeEvery: 3, healthEvery: 2, histogramsEvery: 3 };
  const config = configOf(teacher, { gan: { r1: 0.1 }, matching: { divergence: 'hellinger' }, record });
  assert.ok(config.kind === 'distill');
  assert.deepEqual(await new ConfigChecker(findingsOf).problems(JSON.stringify(config), path.join(root, 'a.json')), []);
  const plan = await planDistillation(config);
  assert.ok(plan.tried && plan.imagesPerUpdate === 2 && (plan.parameters.trained.discriminator ?? 0) > 0);

  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const tags = curves(whole.folder);
  for (const tag of [
    'loss/gan',
    'loss/discriminator',
    'gan/right',
    'rate/discriminator',
    'vitals/fresh-fake',
    'probe/cosine/500',
  ]) {
    assert.ok(tags.has(tag), `${tag} of ${[...tags.keys()]}`);
  }
  assert.deepEqual(
    Object.keys(stateBytes(whole.folder, 6)).filter((name) => name.endsWith('.safetensors')),
    ['discriminator.safetensors', 'fake.safetensors', 'generator.safetensors'],
  );
  assert.equal((await openModel(path.join(whole.folder, 'generator.safetensors'))).role, 'generator');

  const first = await runHere({ config, root }, { until: 2 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped');
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished');
  assert.deepEqual(stateBytes(first.folder, 6), stateBytes(whole.folder, 6));
  fs.rmSync(root, { recursive: true });
});

for (const from of ['simulation', 'data']) {
  test(`a generator of three steps is trained on ${from}, stopped and resumed, and sampled in its own steps`, async () => {
    const root = scratch();
    const teacher = await tinyTeacher(root, { label_dim: classes });
    const record = { ...quiet, samplesEvery: 3, samples: 2 };
    const config = configOf(teacher, { steps: { at: [4, 0.6], from }, record });
    const whole = await runHere({ config, root });
    assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
    const first = await runHere({ config, root }, { until: 2 });
    await runHere({ folder: first.folder });
    assert.deepEqual(stateBytes(first.folder, 6), stateBytes(whole.folder, 6));

    const model = await openModel(path.join(whole.folder, 'generator.safetensors'));
    assert.deepEqual([model.again, generatorCalls(model)], [[4, 0.6], 3]);
    const source = await SeededSource.create(engine, model.network, model.weights, 2);
    const { generatorSigma: sigma, again } = model;
    const request = { seeds: [3, 4], classes: [1, 2], sigma, again, sampler: 'edm', samplerOptions: {} } as const;
    const drawn = async (steps: number) => (await source.draw({ ...request, steps })).images.data;
    const [one, two, three] = [await drawn(1), await drawn(2), await drawn(3)];
    // By hand: noise of each seed's own generator, class drawn in between as ever.
    const random = new StackedGenerator([3, 4]);
    const numbers = one.length / 2;
    const z = random.randn(numbers);
    random.randint(0, classes);
    const program = await DenoiseProgram.create(engine, { network: model.network, batch: 2, weights: model.weights });
    const labels = {
      shape: [2, classes],
      data: Float32Array.from({ length: 2 * classes }, (_, i) => Number(i === 1 || i === classes + 2)),
    };
    let image = await program.denoise(
      z.map((v) => sigma * v),
      sigma,
      labels,
    );
    assert.deepEqual(one, image);
    for (const [level, found] of [
      [4, two],
      [0.6, three],
    ] as const) {
      const noise = random.randn(numbers);
      image = await program.denoise(
        image.map((v, i) => v + level * noise[i]!),
        level,
        labels,
      );
      assert.deepEqual(found, image, `the call at ${level}`);
    }
    await program.dispose();
    await source.dispose();

    // The exported file is a denoiser that is sampled the same way.
    const onnx = path.join(root, 'g.onnx');
    assert.ok((await exportModel(model, onnx, 2)).ok);
    const opened = await openOnnxModel(onnx, 'cpu');
    assert.deepEqual([opened.role, opened.again], ['generator', [4, 0.6]]);
    const exported = new SeededSource(opened.program, opened.network, opened.batch);
    const again3 = (await exported.draw({ ...request, steps: 3 })).images.data;
    const error = again3.reduce((most, v, i) => Math.max(most, Math.abs(v - three[i]!)), 0);
    assert.ok(error < 1e-4, `off by ${error}`);
    await exported.dispose();
    fs.rmSync(root, { recursive: true });
  });
}

const update = {
  ...{ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 1 },
  emaDecays: [0.9],
};

/** With draws of a seed; `real` images are noise. */
async function training(on: Engine, change: { gan?: null; at?: number[]; from?: 'data'; fakeUpdates?: number }) {
  const { gan, at = [], from = 'simulation', fakeUpdates = 3 } = change;
  const shape = shapeWith({ r1: { gamma: 1, noise: 0.1 } });
  const few = at.length > 0 ? { calledAgain: laterSteps(at, shape.student) } : {};
  const flat = packParameters(
    network.layout,
    unpackParameters(network.layout, random([network.layout.size], 0.1).data),
  );
  const labels = { shape: [batch, classes], data: new Float32Array(batch * classes) };
  const x = random([batch, ...network.imageShape]);
  const procedure = await Dmd2Procedure.create(on, {
    ...{ ...shape, gan: gan === null ? null : shape.gan, student: { ...shape.student, ...few } },
    ...{ seed: 3, accumulation: 2, emas: [0.9], fakeUpdates, from, conditions: classConditions(classes) },
    teacherWeights: unpackParameters(network.layout, flat),
    start: { generator: flat, fake: flat, discriminator: random([shape.gan!.head.layout.size], 0.1).data },
    real: { batch: async () => ({ x, conditions: { labels } }) },
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] }, discriminator: { ...update, emaDecays: [] } },
      ...{
        generatorWeight: 0.1,
        discriminatorWeight: 0.1,
        matching: { first: 0, last: 2 },
        gan: { first: 0, last: 2 },
      },
    }),
  });
  return new Trainer(on, procedure);
}

for (const change of [{}, { gan: null }, { at: [3, 0.5] }, { at: [3], from: 'data' as const, fakeUpdates: 1 }]) {
  test(`nothing is freed twice or kept on the device: ${JSON.stringify(change)}`, async () => {
    const { engine: counting, alive } = countingEngine(engine);
    const trainer = await training(counting, change);
    const before = alive.size;
    for (let step = 0; step < 3; step++) {
      const { scalars } = await trainer.advance();
      assert.ok(Object.values(scalars).every(Number.isFinite), JSON.stringify(scalars));
      assert.equal(alive.size, before + Object.keys(trainer.tensors).length, [...alive.values()].join(', '));
    }
    // Who looks at every stage sees it all and leaves nothing behind.
    await trainer.advance({ onStage: async ({ names, tensor }) => names.forEach((name) => void tensor(name)) });
    await assert.rejects(
      trainer.advance({ onStage: async ({ stage, drop }) => (stage === 'fake-score loss' ? drop() : undefined) }),
    );
    assert.equal(alive.size, before);
    await trainer.dispose();
    assert.deepEqual([...alive.values()], []);
  });
}

test('real points of a mixture are drawn from it, and a distillation of one needs no other data', async () => {
  const mixture = {
    modes: [
      [-0.75, 0],
      [0.75, 0.5],
    ],
    stds: [0.1, 0.02],
    std: 1,
  };
  const config = dmd2Config(configOf('builtin:mixture', { mixture: { ...mixture, std: 0.1 } }) as DistillConfig);
  const real = await mixturePoints(config, mixture).open();
  const at = { step: 1, micro: 0, update: 0 };
  const { x } = await real.batch(at, 4000, 'told');
  assert.deepEqual([x.shape, (await real.batch(at, 4000, 'told')).x.data], [[4000, 2, 1, 1], x.data]);
  assert.notDeepEqual((await real.batch({ ...at, update: 1 }, 4000, 'told')).x.data, x.data);
  const points = Array.from({ length: 4000 }, (_, n) => [x.data[2 * n]!, x.data[2 * n + 1]!] as const);
  for (const [k, [cx, cy]] of mixture.modes.entries()) {
    const own = points.filter(([px]) => px < 0 === k < 1);
    assert.ok(Math.abs(own.length - 2000) < 200, `${own.length} of 4000`);
    const squares = own.reduce((sum, [px, py]) => sum + (px - cx!) ** 2 + (py - cy!) ** 2, 0) / (2 * own.length);
    near(Math.sqrt(squares), mixture.stds[k]!, 0.1, `standard deviation of mode ${k}`);
  }
  const root = scratch();
  const { folder, last } = await runHere({ config: config as unknown as Config, root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  assert.ok(curves(folder).has('loss/gan'));
  fs.rmSync(root, { recursive: true });
});

test('a file whose further steps are none is refused in words', () => {
  assert.deepEqual(rolesOf({ 'dmd.again': '[4, 1]' }, 'a').again, [4, 1]);
  for (const text of ['[1, 4]', '[81]', '[0]', '{}', '["4"]', 'nonsense', '[4']) {
    assert.throws(
      () => rolesOf({ 'dmd.again': text }, 'a.safetensors'),
      /'dmd\.again' must be descending noise levels below 80/,
    );
  }
});

test('the listing has a line for every stage that runs, and for no other', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root, { label_dim: classes });
  for (const [enabled, at] of [
    [true, []],
    [false, []],
    [true, [2]],
  ] as const) {
    const config = configOf(teacher, { gan: { enabled }, steps: { at }, iterations: 1 });
    const { run: ran, listed } = await stagesOf(engine, config as DistillConfig, root);
    assert.deepEqual(ran, listed);
  }
  fs.rmSync(root, { recursive: true });
});

test('what does not go together is said at its key', async () => {
  const texts = (change: object) =>
    configProblems(JSON.stringify({ kind: 'distill', method: 'dmd2', ...change }))
      .map(({ what }) => what)
      .join();
  assert.match(texts({ gan: { maxStep: 1000 } }), /gan\.maxStep.*must be below matching\.levels\.count, 1000/);
  assert.match(texts({ gan: { minStep: 9, maxStep: 3 } }), /gan\.minStep.*must not be above maxStep, 3/);
  assert.match(texts({ gan: { enabled: false }, matching: { divergence: 'jeffreys' } }), /needs the discriminator/);
  assert.match(texts({ regression: { enabled: false } }), /regression/);
  assert.match(texts({ steps: { at: [3, 3] } }), /steps\.at\.1.*levels must descend/);

  const root = scratch();
  const found = async (teacher: string, change: object = {}) => {
    const config = configOf(teacher, change) as DistillConfig;
    const findings = await findingsOf(config);
    await assert.rejects(methodOf(config).plan(config), `the run itself: ${JSON.stringify(findings)}`);
    return findings.map(({ key, message }) => `${key} ${message}`).join();
  };
  const three = await tinyTeacher(root);
  const without = { gan: { enabled: false } };
  assert.match(
    await found(three, { ...without, steps: { at: [90, 1] } }),
    /^steps\.at.*90 is no step of this generator, which begins at 80/,
  );
  assert.match(await found(three, { ...without, steps: { at: [0] } }), /^steps\.at.*noise levels above 0 and below 80/);
  assert.deepEqual(await findingsOf(configOf(three, { ...without, steps: { at: [3] } }) as DistillConfig), []);
  assert.match(
    await found(three, { ...without, steps: { at: [3], from: 'data' } }),
    /^data\.source.*the teacher has 3/,
  );
  assert.match(await found(three), /^data\.source.*the scenes data set has 10 classes, but the teacher has 3/);
  const grey = path.join(root, 'grey');
  fs.mkdirSync(grey);
  const large = await tinyTeacher(grey, { label_dim: classes, img_channels: 1 });
  const fits = configOf(large, { data: { fit: 'resize' } }) as DistillConfig;
  assert.deepEqual(await findingsOf(fits), [], 'unless they are made to fit');
  assert.match(await found(large), /^data\.source.*does not fit the teacher: its images are 8 x 8 with 3 channels/);
  const none = path.join(root, 'none');
  fs.mkdirSync(none);
  const picture = encodePng({ shape: [3, 8, 8], data: new Float32Array(192) });
  fs.writeFileSync(path.join(none, 'a.png'), picture);
  assert.match(await found(three, { data: { source: none } }), /^data\.source.*a single picture/);
  fs.writeFileSync(path.join(none, 'b.png'), picture);
  assert.match(await found(three, { data: { source: none } }), /^data\.source.*has no labels, but the teacher has 3/);
  assert.match(await found(three, { data: { source: path.join(root, 'missing') } }), /^data\.source/);
  const config = configOf(three, { data: { source: none }, labels: 'none' }) as DistillConfig;
  assert.deepEqual(await findingsOf(config), [], 'without classes they are not needed');
  fs.rmSync(root, { recursive: true });
});
