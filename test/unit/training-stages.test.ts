/**
 * Between two stages: what is looked at leaves no trace, a copy in a tensor's place changes nothing, a planted change alters what
 * follows as arithmetic done apart says, and an iteration that is given up never was.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isDeviceTensor } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { initialParameters, layoutOf, type ParameterLayout, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { dmdListing } from '../../backend/methods/dmd/listing.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { type Between, IterationDropped, type Watch } from '../../backend/training/iteration.ts';
import { createTrainer } from '../integration/dmd-iteration/iteration.ts';
import { latentTraining } from './latent/training.ts';
import { countingEngine } from './training/counting-engine.ts';
import { edmDistillation, samePairs } from './training/edm-distillation.ts';
import { type Saved, savedBy, storedIn } from './training/saved.ts';
import { labelDim, tinyNetwork } from './training/tiny.ts';

const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

const network = createNetwork(tinyNetwork);

/** A distillation of the tiny network, whose parameters lie as `layout` has them. */
async function chunkedTraining(layout: ParameterLayout) {
  const whole = (name: string) => unpackParameters(network.layout, initialParameters(network.layout, stream(3, name)));
  const images = (name: string) => {
    const shape = [2, ...network.imageShape];
    return { shape, data: stream(3, name).randn(sizeOf(shape)) };
  };
  const update = {
    ...{ learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 1 },
    emaDecays: [0.9],
  };
  const { trainer } = await edmDistillation(cpu, {
    network: { ...network, layout },
    ...{
      teacherParameters: whole('teacher'),
      batch: 2,
      sigmas: [0.05, 1, 20],
      seed: 3,
      accumulation: 2,
      fakeUpdates: 1,
    },
    ...{ matching: { weight: 'eq8', realOnly: false }, regression: { batch: 2, distance: l2Distance } },
    pairs: samePairs(images('z'), images('y'), { shape: [2, labelDim], data: Float32Array.of(1, 0, 0, 0, 0, 1) }),
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda: 0.25 },
      ...{ firstLevel: 0, lastLevel: 2 },
    }),
    start: { generator: whole('generator'), fake: whole('fake') },
  });
  return trainer;
}

function near(actual: Saved, wanted: Saved, tolerance: number, what = ''): void {
  for (const [file, arrays] of actual) {
    for (const [name, { data }] of arrays) {
      const right = wanted.get(file)!.get(name)!.data;
      const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - right[i]!)), 0);
      assert.ok(worst <= tolerance, `${what} ${file}.${name} is ${worst} off`);
    }
  }
}

const families = {
  images: (engine = cpu) => createTrainer(engine, 2),
  latents: (engine = cpu) => latentTraining(engine, { accumulation: 2, fakeUpdates: 2 }),
};

async function onHost({ tensor }: Between, name: string): Promise<TensorData> {
  const value = tensor(name);
  return { shape: value.shape, data: isDeviceTensor(value) ? (await value.read()).slice() : value.data.slice() };
}

/** Every stage of two iterations, with the tensors that exist there. */
async function stagesOf(family: keyof typeof families): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const trainer = await families[family]();
  const onStage = async ({ stage, names }: Between) => {
    found.set(stage, names);
  };
  await trainer.advance({ onStage });
  await trainer.dispose();
  return found;
}

async function stateAfter(family: keyof typeof families, watch: Watch = {}) {
  const trainer = await families[family]();
  await trainer.advance();
  await trainer.advance(watch);
  const state = await savedBy(trainer);
  await trainer.dispose();
  return state;
}

for (const family of ['images', 'latents'] as const) {
  test(`${family}: stages come in the order of the algorithm, and a run stepped through them ends with the same bits`, async () => {
    const seen: string[] = [];
    const stepped = await stateAfter(family, {
      async onStage(between) {
        seen.push(between.stage);
        for (const name of between.names) await onHost(between, name);
      },
    });
    assert.deepEqual(stepped, await stateAfter(family));
    const half = [
      'draw',
      'generate',
      'diffuse',
      'real score',
      'fake score',
      'gradient',
      'regression',
      'generator backward',
    ];
    assert.deepEqual(seen.slice(0, 8), half);
    assert.deepEqual(seen.slice(16, 20), [
      'generator update',
      'fake-score draw',
      'fake-score loss',
      'fake-score backward',
    ]);
    assert.equal(seen.at(-1), 'commit');
    const config = parseConfig('{"kind": "distill"}', 'defaults');
    assert.ok(config.kind === 'distill');
    const listed = dmdListing(config).flatMap(({ stage }) => stage ?? []);
    assert.deepEqual(listed, [...new Set(seen)], 'the listing has a line for each');
  });

  test(`${family}: at every stage a tensor's own copy in its place leaves the final weights within 1e-6`, async () => {
    const trainer = await families[family]();
    await trainer.advance();
    const before = storedIn(await savedBy(trainer));
    await trainer.advance();
    const free = await savedBy(trainer);
    const stages = await stagesOf(family);
    assert.ok(stages.size > 10);
    for (const [stage, names] of stages) {
      await trainer.restore(1, before);
      let replaced = 0;
      await trainer.advance({
        async onStage(between) {
          if (between.stage !== stage) return;
          for (const name of between.names.filter((own) => names.includes(own))) {
            between.replace(name, await onHost(between, name));
            replaced += 1;
          }
        },
      });
      assert.ok(replaced > 0, stage);
      near(await savedBy(trainer), free, 1e-6, stage);
    }
    await trainer.dispose();
  });
}

test('a gradient planted on the images reaches the parameters as the chain rule says: twice of it doubles that part', async () => {
  const gradientOf = async (factor: number) => {
    const trainer = await latentTraining(cpu, { regression: null });
    let gradient: TensorData | undefined;
    await trainer.advance({
      async onStage(between) {
        if (between.stage === 'gradient' && factor !== 1) {
          const { shape, data } = await onHost(between, 'grad');
          between.replace('grad', { shape, data: data.map((value) => factor * value) });
        }
        if (between.stage === 'generator backward') gradient = await onHost(between, 'gradient');
      },
    });
    await trainer.dispose();
    return gradient!.data;
  };
  const [one, two, none] = [await gradientOf(1), await gradientOf(2), await gradientOf(0)];
  const largest = Math.max(...one.map(Math.abs));
  assert.ok(largest > 0);
  two.forEach((value, i) => {
    assert.ok(Math.abs(value - 2 * one[i]!) <= 1e-5 * largest);
  });
  assert.ok(none.every((value) => value === 0));
});

test('parameters planted at the update are what is committed', async () => {
  const trainer = await latentTraining(cpu);
  await trainer.advance({
    async onStage(between) {
      if (between.stage !== 'generator update') return;
      const { shape, data } = await onHost(between, 'generator.parameters');
      between.replace('generator.parameters', { shape, data: data.map((_, i) => i) });
    },
  });
  const { data } = (await savedBy(trainer)).get('generator')!.get('parameters')!;
  assert.deepEqual(
    [...data],
    Array.from(data, (_, i) => i),
  );
  await trainer.dispose();
});

test('an update that is skipped leaves that network alone, and the other one goes on', async () => {
  const trainer = await latentTraining(cpu);
  const before = await savedBy(trainer);
  await trainer.advance({
    onStage: async ({ stage, skipUpdate }) => void (stage === 'gradient' && skipUpdate('generator')),
  });
  const now = await savedBy(trainer);
  assert.equal(trainer.step, 1);
  assert.deepEqual(now.get('generator'), before.get('generator'));
  assert.notDeepEqual(now.get('fake'), before.get('fake'));
  await trainer.dispose();
});

test('an iteration that is given up or whose watcher throws leaves no trace, at whatever stage', async () => {
  const { engine, alive } = countingEngine(cpu);
  const trainer = await families.images(engine);
  const [before, state] = [alive.size, await savedBy(trainer)];
  const fault = new Error('a fault of the watcher');
  for (const stage of (await stagesOf('images')).keys()) {
    const drop = { onStage: async (between: Between) => void (between.stage === stage && between.drop()) };
    await assert.rejects(trainer.advance(drop), IterationDropped);
    const throws = {
      onStage: (between: Between) => (between.stage === stage ? Promise.reject(fault) : Promise.resolve()),
    };
    await assert.rejects(trainer.advance(throws), fault);
    assert.equal(alive.size, before, `${stage}: ${[...alive.values()].join(', ')}`);
    assert.equal(trainer.step, 0);
    assert.deepEqual(await savedBy(trainer), state);
  }
  await trainer.dispose();
  assert.deepEqual([...alive.values()], []);
});

test('between micro-batches an iteration can be given up', async () => {
  const trainer = await families.latents();
  const seen: number[] = [];
  const onMicro = async (step: number, done: number, of: number) => {
    assert.equal(of, 6);
    seen.push(done);
    if (done === 3) throw new IterationDropped(step);
  };
  await assert.rejects(trainer.advance({ onMicro }), IterationDropped);
  assert.deepEqual([seen, trainer.step], [[0, 1, 2, 3], 0]);
  await trainer.dispose();
});

test('a network in several buffers trains as in one, is saved as one, and restored into either', async () => {
  const { layout } = network;
  const parts = layoutOf(layout.entries, 4 * 500);
  const inOne = await chunkedTraining(layout);
  const inParts = await chunkedTraining(parts);
  assert.ok(inParts.network('generator').parameters.length > 3);
  for (let step = 0; step < 2; step++) {
    const [one, many] = [await inOne.advance(), await inParts.advance()];
    for (const [name, value] of Object.entries(one.scalars)) {
      assert.ok(Math.abs(many.scalars[name]! - value) <= 1e-5 * Math.max(1, Math.abs(value)), name);
    }
  }
  const [one, many] = [await savedBy(inOne), await savedBy(inParts)];
  near(many, one, 1e-5);
  const other = await chunkedTraining(layout);
  await other.restore(2, storedIn(many));
  assert.deepEqual(await savedBy(other), many);
  await inParts.restore(2, storedIn(one));
  assert.deepEqual(await savedBy(inParts), one);
  for (const trainer of [inOne, inParts, other]) await trainer.dispose();
});

test('parameters in several buffers: no parameter lies in two, trained ones first', () => {
  const { layout } = network;
  const cut = layoutOf(layout.entries, 4 * 500);
  assert.ok(cut.chunks.length > 3);
  assert.equal(cut.size, layout.size);
  assert.equal(cut.trainedSize, layout.trainedSize);
  let at = 0;
  for (const { start, size } of cut.chunks) {
    assert.equal(start, at);
    at += size;
    assert.ok(cut.entries.some(({ offset }) => offset === start));
  }
  assert.equal(at, layout.size);
});
