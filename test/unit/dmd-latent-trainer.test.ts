/** The loop around latent iterations: device memory, going on exactly, what stops it, what it leaves alone. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { NumericStop } from '../../backend/training/trainer.ts';
import { latentShape, linearNetwork } from './latent/linear-network.ts';
import { batch, latentTraining, paired, type Variant } from './latent/training.ts';
import { countingEngine } from './training/counting-engine.ts';
import { savedBy, storedIn } from './training/saved.ts';

const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

const variants: Record<string, Variant> = {
  'as the paper has it': {},
  'two micro-batches, three fake-score updates': { accumulation: 2, fakeUpdates: 3 },
  'without guidance': { guidance: 1 },
  'the real score alone': { matching: { weight: 'eq8', realOnly: true } },
  'without distribution matching': { matching: null, accumulation: 2 },
  'without regression': { regression: null, fakeUpdates: 2 },
  'adapters on both networks': { ranks: { generator: 1, fake: 2 }, fakeUpdates: 2, accumulation: 2 },
  'a float16 teacher': { teacherAs: 'float16' },
  'adapters on a float16 teacher': { teacherAs: 'float16', ranks: { generator: 1, fake: 2 }, fakeUpdates: 2 },
  'adapters on the fake score, without distribution matching of the generator': {
    ranks: { generator: 1, fake: null },
    matching: null,
  },
};

for (const [title, variant] of Object.entries(variants)) {
  test(`${title}: nothing is freed twice or kept, and a restored state goes on to the bit`, async () => {
    const { engine, alive } = countingEngine(cpu);
    const trainer = await latentTraining(engine, variant);
    const before = alive.size;
    assert.equal(
      trainer.imagesPerStep,
      (batch + (variant.regression === null ? 0 : paired)) * (variant.accumulation ?? 1),
    );
    for (let step = 1; step <= 2; step++) {
      const { scalars } = await trainer.advance();
      assert.ok(Object.values(scalars).every(Number.isFinite));
      assert.equal(alive.size, before + Object.keys(trainer.tensors).length, [...alive.values()].join(', '));
    }
    const state = await savedBy(trainer);
    const wanted = [await trainer.advance(), await trainer.advance()];
    const weights = await trainer.generatorWeights();
    await trainer.dispose();
    assert.deepEqual([...alive.values()], []);

    const resumed = await latentTraining(engine, variant);
    await resumed.restore(2, storedIn(state));
    assert.deepEqual([await resumed.advance(), await resumed.advance()], wanted);
    assert.deepEqual(await resumed.generatorWeights(), weights);
    await resumed.dispose();
    assert.deepEqual([...alive.values()], []);
  });
}

test('each loss moves the generator in its own way, and guidance matters', async () => {
  const after2 = async (variant: Variant) => {
    const trainer = await latentTraining(cpu, variant);
    await trainer.advance();
    const { scalars } = await trainer.advance();
    const weights = [...(await trainer.generatorWeights()).values()].flatMap(({ data }) => [...data]);
    await trainer.dispose();
    return { scalars, weights };
  };
  const all = await Promise.all(
    [{}, { matching: null }, { regression: null }, { guidance: 1 }, { guidance: 8 }].map((variant) => after2(variant)),
  );
  const seen = new Set(all.map(({ weights }) => weights.join()));
  assert.equal(seen.size, all.length);
  const [, withoutMatching, withoutRegression] = all;
  assert.equal(withoutMatching!.scalars.lossMatching, 0);
  assert.ok(!('lossFake' in withoutMatching!.scalars));
  assert.equal(withoutRegression!.scalars.lossRegression, 0);
});

test('a NaN stops before anything is committed, and says which latents, noise and timesteps it was', async () => {
  const { engine, alive } = countingEngine(cpu);
  const trainer = await latentTraining(engine, { poisoned: 2 });
  await trainer.advance();
  const state = await savedBy(trainer);
  const before = alive.size;
  const stop = await trainer.advance().then(
    () => assert.fail('the step went through'),
    (error: unknown) => error,
  );
  assert.ok(stop instanceof NumericStop, String(stop));
  const fields = ['x', 'xt', 'muReal', 'muFake', 'grad', 'timestep', 'alpha', 'sigma', 'z'];
  assert.deepEqual([...stop.tensors.keys()].sort(), fields.sort());
  assert.deepEqual(stop.tensors.get('x')!.shape, [batch + paired, ...latentShape]);
  assert.equal(alive.size, before);
  assert.deepEqual(await savedBy(trainer), state);
  await trainer.dispose();
});

test('adapters train a fraction of the numbers, and leave every other weight as the teacher has it', async () => {
  const trainer = await latentTraining(cpu, { ranks: { generator: 1, fake: 1 } });
  const before = await trainer.generatorWeights();
  for (let step = 0; step < 3; step++) await trainer.advance();
  const now = await trainer.generatorWeights();
  assert.ok((await savedBy(trainer)).get('generator')!.get('parameters')!.data.length < linearNetwork.layout.size);
  for (const [name, { data }] of now) {
    if (name === 'attn.to_q.weight') assert.notDeepEqual(data, before.get(name)!.data);
    else assert.deepEqual(data, before.get(name)!.data, name);
  }
  await trainer.dispose();
});

test('held as float16, the teacher is the same teacher to the bit, below adapters too', async () => {
  const after2 = async (variant: Variant) => {
    const trainer = await latentTraining(cpu, variant);
    const scalars = [await trainer.advance(), await trainer.advance()];
    const weights = await trainer.generatorWeights();
    await trainer.dispose();
    return { scalars, weights };
  };
  for (const variant of [{}, { ranks: { generator: 1, fake: 1 } }]) {
    const half = await after2({ ...variant, teacherAs: 'float16' });
    assert.deepEqual(half, await after2({ ...variant, teacherAs: 'rounded' }));
    assert.notDeepEqual(half.scalars, (await after2(variant)).scalars);
  }
});
