/** Device memory of a distillation: every tensor is freed exactly once, whatever an iteration does. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { stream } from '../../backend/random/stream.ts';
import { createTeachTrainer } from '../../backend/teach/teach.ts';
import { streamDraws } from '../../backend/training/draws.ts';
import { NumericStop, type Trainer } from '../../backend/training/trainer.ts';
import { testSeed } from '../random.ts';
import { countingEngine } from './training/counting-engine.ts';
import { edmDistillation } from './training/edm-distillation.ts';
import { savedBy, storedIn } from './training/saved.ts';
import { labelDim, tinyNetwork } from './training/tiny.ts';

const network = createNetwork(tinyNetwork);
const batch = 2;
const seed = testSeed;
const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

const update = {
  ...{ learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ weightDecay: 0.01, clip: 1, emaDecays: [0.9] },
};
const weights = (name: string) =>
  unpackParameters(network.layout, initialParameters(network.layout, stream(seed, name)));
const normal = (...path: (string | number)[]): TensorData => {
  const shape = [batch, ...network.imageShape];
  return { shape, data: stream(seed, ...path).randn(sizeOf(shape)) };
};
const labels = { shape: [batch, labelDim], data: Float32Array.of(1, 0, 0, 0, 0, 1) };

interface Variant {
  readonly accumulation?: number;
  readonly fakeUpdates?: number;
  readonly matching?: { weight: 'eq8'; realOnly: boolean } | null;
  readonly regression?: null;
  readonly keepsGradients?: (step: number) => boolean;
  /** Micro-batch of step 2 whose reference image holds a NaN. */
  readonly poisoned?: number;
}

const fakeUpdate = { ...update, emaDecays: [] };

async function distillation(engine: Engine, variant: Variant): Promise<Trainer> {
  const { accumulation = 1, fakeUpdates = 1, poisoned, keepsGradients } = variant;
  const { matching = { weight: 'eq8', realOnly: false }, regression } = variant;
  const { trainer } = await edmDistillation(engine, {
    ...{ network, teacherParameters: weights('teacher'), batch, sigmas: [0.05, 1, 20] },
    ...{ matching, seed, accumulation, fakeUpdates },
    ...(keepsGradients ? { keepsGradients } : {}),
    regression: regression === null ? null : { batch, distance: l2Distance },
    pairs: {
      async batch(step, micro) {
        const y = normal('y', step, micro);
        if (step === 2 && micro === poisoned) y.data[5] = Number.NaN;
        return { z: normal('z', step, micro), y, conditions: { labels } };
      },
    },
    settings: () => ({ generator: update, fake: fakeUpdate, lambda: 0.25, firstLevel: 0, lastLevel: 2 }),
    start: { generator: weights('generator'), fake: weights('fake') },
  });
  return trainer;
}

/** The latest iteration's fields stay until the next one. */
const fieldNames = ['x', 'xt', 'muReal', 'muFake', 'grad'];

const variants: Record<string, Variant> = {
  'as the paper has it': {},
  'two micro-batches, three fake-score updates': { accumulation: 2, fakeUpdates: 3 },
  'keeping gradients in every other step': { fakeUpdates: 2, keepsGradients: (step) => step % 2 === 1 },
  'the real score alone': { matching: { weight: 'eq8', realOnly: true }, accumulation: 2 },
  'without distribution matching': { matching: null, accumulation: 2 },
  'without regression': { regression: null, fakeUpdates: 2 },
};

for (const [title, variant] of Object.entries(variants)) {
  test(`distilling ${title} keeps two states, the teacher and the latest fields`, async () => {
    const { engine, alive } = countingEngine(cpu);
    const trainer = await distillation(engine, variant);
    const before = alive.size;
    for (let step = 1; step <= 3; step++) {
      await trainer.advance();
      const gradients = variant.keepsGradients?.(step) ? 2 : 0;
      assert.equal(
        alive.size,
        before + Object.keys(trainer.tensors).length + gradients,
        [...alive.values()].join(', '),
      );
    }
    await trainer.restore(3, storedIn(await savedBy(trainer)));
    await trainer.dispose();
    assert.deepEqual([...alive.values()], []);
  });
}

for (const poisoned of [0, 1, 2]) {
  test(`a NaN in micro-batch ${poisoned} of 3 stops with that one's fields and frees the rest`, async () => {
    const { engine, alive } = countingEngine(cpu);
    const trainer = await distillation(engine, { accumulation: 3, fakeUpdates: 2, poisoned });
    const before = alive.size;
    await trainer.advance();
    const state = await savedBy(trainer);
    const stop = await trainer.advance().then(
      () => assert.fail('the step went through'),
      (error: unknown) => error,
    );
    assert.ok(stop instanceof NumericStop, String(stop));
    assert.deepEqual([...stop.tensors.keys()].sort(), [...fieldNames, 'sigma', 'z', 'labels'].sort());
    const { z } = streamDraws(seed, network.imageShape, classConditions(labelDim)).latents(
      { step: 2, micro: poisoned, update: 0 },
      batch,
    );
    assert.deepEqual(stop.tensors.get('z'), z);
    assert.equal(alive.size, before + fieldNames.length, [...alive.values()].join(', '));
    assert.deepEqual(await savedBy(trainer), state);
    await trainer.dispose();
    assert.deepEqual([...alive.values()], []);
  });
}

test('a saved state that lacks a tensor, or has it in another size, is refused by name and changes nothing', async () => {
  const { engine, alive } = countingEngine(cpu);
  const trainer = await distillation(engine, {});
  await trainer.advance();
  const state = await savedBy(trainer);
  const before = [...alive.keys()];
  const refused = async (file: string, change: (arrays: Map<string, TensorData>) => void, pattern: RegExp) => {
    const changed = new Map(Array.from(state, ([name, arrays]) => [name, new Map(arrays)]));
    change(changed.get(file)!);
    await assert.rejects(trainer.restore(9, storedIn(changed)), (error: unknown) => {
      assert.ok(error instanceof UserError && error.hint !== '', String(error));
      assert.match(error.message, pattern);
      return true;
    });
    assert.deepEqual([...alive.keys()], before);
    assert.equal(trainer.step, 1);
    assert.deepEqual(await savedBy(trainer), state);
  };
  const short = { shape: [3], data: new Float32Array(3) };
  const missing = /tensor 'secondMoment' of fake\.safetensors is missing/;
  await refused('fake', (arrays) => arrays.delete('secondMoment'), missing);
  const firstMoment = /tensor 'firstMoment' of generator\.safetensors has \[3\] numbers, and it needs \d+/;
  await refused('generator', (arrays) => arrays.set('firstMoment', short), firstMoment);
  const files = storedIn(state);
  files.delete('fake');
  await assert.rejects(trainer.restore(9, files), /tensor 'parameters' of fake\.safetensors is missing/);
  await trainer.dispose();
  assert.deepEqual([...alive.values()], []);
});

test('teaching keeps one state, and the zeros that a gradient is summed from', async () => {
  const { engine, alive } = countingEngine(cpu);
  let poison = false;
  const trainer = await createTeachTrainer(engine, {
    ...{ network, seed, batch, accumulation: 2, meanLogSigma: -1.2, stdLogSigma: 1.2, sigmaData: 0.5, initial: null },
    settings: () => update,
    emas: [0.9],
    async images(step, micro) {
      const images = normal('images', step, micro);
      if (poison) images.data.fill(Number.NaN);
      return { images, labels };
    },
  });
  await trainer.advance();
  await trainer.advance();
  assert.equal(alive.size, 5);
  poison = true;
  await assert.rejects(trainer.advance(), NumericStop);
  assert.equal(alive.size, 5);
  await trainer.dispose();
  assert.deepEqual([...alive.values()], []);
});
