/** Inspections against numbers worked out here, on networks drawn anew. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openDevice } from '../../backend/engine/open.ts';
import { ScoreInspector } from '../../backend/methods/dmd/inspect/inspector.ts';
import type { MatchingWeight } from '../../backend/methods/dmd/matching.ts';
import { Probe } from '../../backend/methods/dmd/probe.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { matchingWeights } from '../../backend/protocol/config/index.ts';
import {
  curveNames,
  type Inspection,
  type InspectionQuery,
  inspectionSchema,
} from '../../backend/protocol/inspection.ts';
import { stream } from '../../backend/random/stream.ts';
import { randomBelow, uniform } from '../random.ts';
import { edmShape } from './training/edm-distillation.ts';
import { tinyNetwork } from './training/tiny.ts';

const engine = await openDevice('cpu', 1);
after(() => engine.dispose());
const network = createNetwork({ ...tinyNetwork, img_resolution: 4, img_channels: 1 });
const sigmas = [0.1, 2, 30];
const conditions = classConditions(network.labelDim);
const probe = { seed: 4, count: 5 };

const parameters = () => {
  const { size } = network.layout;
  const data = stream(uniform(), 'parameters').randn(size);
  return [engine.upload({ shape: [size], data: data.map((value) => 0.1 * value) })];
};
const networks = { generator: parameters(), fake: parameters(), teacher: parameters() };
const shapeOf = (weight: MatchingWeight, realOnly: boolean) =>
  edmShape({
    ...{ network, sigmas, generatorSigma: 3, batch: 1, regression: null },
    matching: { weight, realOnly },
  });

const open = (weight: MatchingWeight = 'eq8', realOnly = false) =>
  ScoreInspector.create(engine, {
    shape: shapeOf(weight, realOnly),
    conditions: { source: conditions, ofPairs: () => conditions, dispose: async () => {} },
    classes: network.labelDim,
    recorded: { seed: 8, samples: 6, probe },
    prompts: () => [],
    openDecoder: async () => null,
  });

const query = (change: Partial<InspectionQuery> = {}): InspectionQuery => ({
  ...{ sample: { kind: 'probe', index: 0 }, condition: null, level: { by: 'index', value: 1 } },
  ...{ strip: [], stepSize: 0 },
  ...change,
});

const named = (tensors: Inspection['tensors']) => new Map(tensors.map(({ name, data }) => [name, data]));

function near(actual: Float32Array, wanted: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, wanted.length, what);
  const largest = Math.max(...Array.from(wanted, Math.abs));
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i]! - wanted[i]!) <= 1e-5 * (largest + 1e-6), `${what}: ${actual[i]}, not ${wanted[i]}`);
  }
}

test('an image of the probe has the fields that the probe records, at every level', async () => {
  const reading = await Probe.create(engine, shapeOf('eq8', false), conditions, { ...probe, levels: [0, 1, 2] });
  const { tensors } = await reading.read(networks);
  await reading.dispose();
  const inspector = await open();
  const index = randomBelow(probe.count);
  const done: [number, number][] = [];
  const found = await inspector.inspect(networks, query({ sample: { kind: 'probe', index }, strip: [0, 1, 2] }), {
    step: 7,
    onProgress: (...at) => done.push(at),
  });
  await inspector.dispose();
  assert.deepEqual(inspectionSchema.parse(found), found, 'it can cross');
  assert.deepEqual([found.step, found.class], [7, index % network.labelDim]);
  assert.deepEqual(done.at(-1), [4, 4]);
  const size = 16;
  const recorded = (name: string, level: number) => {
    const from = (level * probe.count + index) * size;
    return tensors.get(name)!.data.subarray(from, from + size);
  };
  const [one, strip] = [named(found.tensors), named(found.strip)];
  near(one.get('x')!, tensors.get('x')!.data.subarray(index * size, (index + 1) * size), 'x');
  for (const name of ['xt', 'muReal', 'muFake', 'grad']) {
    near(one.get(name)!, recorded(name, 1), name);
    for (const level of [0, 1, 2]) {
      near(strip.get(name)!.subarray(level * size, (level + 1) * size), recorded(name, level), `${name} at ${level}`);
    }
  }
  for (const name of ['cosine', 'residualRatio'] as const) {
    const at = [0, 1, 2].map((level) => tensors.get(name)!.data[level * probe.count + index]!);
    near(strip.get(name)!, at, name);
  }
  assert.deepEqual(
    found.levels.map(({ sigma, alpha, timestep }) => [sigma, alpha, timestep]),
    sigmas.map((sigma) => [sigma, 1, null]),
  );
});

for (const weight of matchingWeights) {
  test(`the weight that is shown is the one of grad, and a step goes along its negative: ${weight}`, async () => {
    const inspector = await open(weight);
    const stepSize = uniform() + 0.5;
    const found = await inspector.inspect(networks, query({ stepSize, strip: [2, 0] }), { step: 0 });
    await inspector.dispose();
    const of = named(found.tensors);
    const [x, real, fake, grad, stepped] = ['x', 'muReal', 'muFake', 'grad', 'stepped'].map((name) => of.get(name)!);
    const factor = of.get('weight')![0]!;
    near(
      grad!,
      grad!.map((_, i) => factor * (fake![i]! - real![i]!)),
      'grad',
    );
    near(
      stepped!,
      x!.map((value, i) => value - stepSize * grad![i]!),
      'stepped',
    );
    const strip = named(found.strip);
    const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
    for (const [i, level] of [2, 0].entries()) {
      const at = (name: string) => strip.get(name)!.subarray(i * 16, (i + 1) * 16);
      const minus = (a: Float32Array, b: Float32Array) => a.map((value, k) => value - b[k]!);
      const wanted: Record<string, number> = {
        normReal: norm(minus(at('muReal'), x!)),
        normFake: norm(minus(at('muFake'), x!)),
        normDifference: norm(minus(at('muReal'), at('muFake'))),
        normGrad: norm(at('grad')),
      };
      for (const [name, value] of Object.entries(wanted)) near(strip.get(name)!.subarray(i, i + 1), [value], name);
      assert.equal(found.levels[i]!.index, level);
    }
    for (const name of curveNames) assert.equal(strip.get(name)!.length, 2, name);
  });
}

test('a seed draws the noise and the class that pictures are generated from; another class, or level, changes only that', async () => {
  const inspector = await open();
  const inspect = (change: Partial<InspectionQuery>) => inspector.inspect(networks, query(change), { step: 0 });
  const sample = { kind: 'seed' as const, seed: 1 + randomBelow(1000) };
  const own = await inspect({ sample });
  const again = await inspect({ sample, condition: { class: own.class! } });
  assert.deepEqual(again, own);
  const other = await inspect({ sample, condition: { class: (own.class! + 1) % network.labelDim } });
  assert.notDeepEqual(named(other.tensors).get('x'), named(own.tensors).get('x'));
  // A sigma between two levels of the ladder is taken as it is; x does not depend on it.
  const between = await inspect({ sample, level: { by: 'sigma', value: 3 } });
  assert.deepEqual([between.level.sigma, between.level.index], [3, 1]);
  assert.deepEqual(named(between.tensors).get('x'), named(own.tensors).get('x'));
  const eps = (of: Inspection) => {
    const [x, xt] = ['x', 'xt'].map((name) => named(of.tensors).get(name)!);
    return xt!.map((value, i) => (value - x![i]!) / of.level.sigma);
  };
  const [first, second] = [eps(own), eps(between)];
  for (let i = 0; i < first.length; i++) assert.ok(Math.abs(first[i]! - second[i]!) < 1e-4, 'the same eps');
  await inspector.dispose();
});

test('what is not there is refused in words, and a cancelled inspection ends', async () => {
  const inspector = await open();
  const refuses = (change: Partial<InspectionQuery>, message: RegExp) =>
    assert.rejects(inspector.inspect(networks, query(change), { step: 0 }), { kind: 'usage', message });
  await refuses({ sample: { kind: 'probe', index: 5 } }, /records 5 images in its probe.*number 6/);
  await refuses({ sample: { kind: 'samples', index: 6 } }, /records 6 samples.*number 7/);
  await refuses({ condition: { class: 99 } }, /no class 99/);
  await refuses({ condition: { prompt: 'a cat' } }, /takes a class, not a prompt/);
  await refuses({ level: { by: 'index', value: 3 } }, /no level 3/);
  await refuses({ level: { by: 'timestep', value: 3 } }, /no timesteps/);
  await refuses({ strip: [1, 3] }, /no level 3/);
  const abort = new AbortController();
  const onProgress = (done: number) => done === 1 && abort.abort();
  await assert.rejects(
    inspector.inspect(networks, query({ strip: [0, 1, 2] }), { step: 0, signal: abort.signal, onProgress }),
    { kind: 'cancelled' },
  );
  assert.ok(await inspector.inspect(networks, query(), { step: 0 }), 'and the next one is answered');
  await inspector.dispose();
});

test('with the real score alone x stands for the fake one, and it is said', async () => {
  const inspector = await open('eq8', true);
  const { tensors, notes } = await inspector.inspect({ ...networks, fake: [] }, query(), { step: 0 });
  await inspector.dispose();
  assert.deepEqual(named(tensors).get('muFake'), named(tensors).get('x'));
  assert.match(notes.join(), /without a fake score/);
});
