/** An update that is computed when it is committed: the numbers of one that is computed before, in less memory, and nothing of it where it fails. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { layoutOf } from '../../backend/graph/parameters.ts';
import { stream } from '../../backend/random/stream.ts';
import { TrainedNetwork } from '../../backend/training/trained-network.ts';
import type { UpdateSettings } from '../../backend/training/update-graph.ts';
import { collect } from '../../backend/weights/array-source.ts';
import { testSeed } from '../random.ts';
import { countingEngine } from './training/counting-engine.ts';
import { storedIn } from './training/saved.ts';

const base = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => base.dispose());

const init = { kind: 'zeros' } as const;
const entry = (name: string, size: number, role: 'trained' | 'fixed') => ({ name, shape: [size], init, role });
/** Two chunks, the latter with a parameter that is not trained, and one that has no other. */
const layout = layoutOf(
  [entry('a', 7, 'trained'), entry('b', 5, 'trained'), entry('c', 3, 'fixed'), entry('d', 9, 'fixed')],
  4 * 9,
);
const random = stream(testSeed, 'late update');
const start = random.randn(layout.size);
const settings: UpdateSettings = {
  ...{ learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 },
  ...{ clip: 1, emaDecays: [0.9, 0.5, 1], lossScale: 4 },
};

function networkOn(engine: Engine) {
  const options = { name: 'network', layout, start, emas: [0.9, 0.5], target: true, accumulates: false, late: true };
  return TrainedNetwork.create(engine, options);
}

const gradientOn = (engine: Engine, numbers: readonly Float32Array[]) =>
  numbers.map((data) => engine.upload({ shape: [data.length], data }));

const drawn = () =>
  layout.chunks.filter(({ trainedSize }) => trainedSize > 0).map(({ trainedSize }) => random.randn(trainedSize));

async function saved(network: TrainedNetwork) {
  const arrays = new Map();
  for (const [name, source] of network.save()) arrays.set(name, await collect(source));
  return arrays;
}

test('it has the bits of an update that is computed before, and leaves no tensor behind', async () => {
  assert.deepEqual(
    layout.chunks.map(({ size, trainedSize }) => [size, trainedSize]),
    [
      [7, 7],
      [8, 5],
      [9, 0],
    ],
  );
  const { engine, alive } = countingEngine(base);
  const networks = { early: await networkOn(engine), late: await networkOn(engine) };
  const held = alive.size;
  for (const change of [{}, { learningRate: 0.01 }, { fresh: true }, { clip: 1000, emaDecays: [0.9, 0.5, 0] }]) {
    const numbers = drawn();
    const norms: Float32Array[] = [];
    for (const [which, network] of Object.entries(networks)) {
      await network.accumulate(gradientOn(engine, numbers), 1);
      const norm = await network.update({ ...settings, ...change }, 'nothing', which === 'late');
      norms.push((await norm.read()).slice());
      norm.dispose();
    }
    assert.deepEqual(norms[1], norms[0]);
    assert.throws(() => networks.late.latest, /not computed before/);
    assert.equal(networks.early.latest.length, 3);
    for (const network of Object.values(networks)) await network.commit();
    assert.deepEqual(await saved(networks.late), await saved(networks.early));
    assert.equal(alive.size, held);
  }
  assert.notDeepEqual((await saved(networks.late)).get('parameters').data, start);
  for (const network of Object.values(networks)) await network.dispose();
  assert.equal(alive.size, 0);
});

test('beside the state there is never more than one buffer of a chunk, the gradient and single numbers', async () => {
  const { engine, alive } = countingEngine(base);
  const network = await networkOn(engine);
  const numbersAlive = () => [...alive.keys()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const before = numbersAlive();
  let most = 0;
  const watched: Engine = {
    ...engine,
    compile: async (graph, options) => {
      const program = await engine.compile(graph, options);
      const { inputs, outputs } = program;
      const run: typeof program.run = async (feeds, runOptions) => {
        const results = await program.run(feeds, runOptions);
        most = Math.max(most, numbersAlive());
        return results;
      };
      return { inputs, outputs, run, dispose: () => program.dispose() };
    },
  };
  await network.dispose();
  const own = await networkOn(watched);
  await own.accumulate(gradientOn(engine, drawn()), 1);
  (await own.update(settings, 'nothing', true)).dispose();
  await own.commit();
  const gradient = layout.trainedSize;
  assert.ok(most <= before + gradient + 9 + 20, `${most - before} numbers more`);
  assert.ok(most >= before + gradient + 8);
  await own.dispose();
});

test('a gradient that is kept outlives the commit, one that is dropped does not, and an update that is dropped leaves no trace', async () => {
  const { engine, alive } = countingEngine(base);
  const network = await networkOn(engine);
  const before = await saved(network);
  const held = alive.size;
  const numbers = drawn();
  await network.accumulate(gradientOn(engine, numbers), 1);
  (await network.update(settings, 'gradient', true)).dispose();
  network.drop();
  network.forget();
  assert.equal(alive.size, held);
  assert.deepEqual(await saved(network), before);
  await network.accumulate(gradientOn(engine, numbers), 1);
  (await network.update(settings, 'gradient', true)).dispose();
  await network.commit();
  assert.deepEqual(await Promise.all(network.keptGradient!.map((chunk) => chunk.read())), numbers);
  assert.equal(network.updates, 1);
  await network.dispose();
  assert.equal(alive.size, 0);
});

test('a state that is half new because a commit failed is neither saved nor trained on, until one is restored', async () => {
  let left = Number.POSITIVE_INFINITY;
  const failing: Engine = {
    ...countingEngine(base).engine,
    compile: async (graph, options) => {
      const program = await base.compile(graph, options);
      const run: typeof program.run = async (feeds, runOptions) => {
        left -= 1;
        if (left < 0) throw new Error('the device is lost');
        return program.run(feeds, runOptions);
      };
      return { inputs: program.inputs, outputs: program.outputs, run, dispose: () => program.dispose() };
    },
    upload: (value) => base.upload(value),
    receive: (shape, slices) => base.receive(shape, slices),
  };
  const network = await networkOn(failing);
  const whole = await saved(network);
  await network.accumulate(gradientOn(failing, drawn()), 1);
  (await network.update(settings, 'nothing', true)).dispose();
  left = 3;
  await assert.rejects(network.commit(), /the device is lost/);
  left = Number.POSITIVE_INFINITY;
  network.drop();
  assert.throws(() => network.save(), /failed half-way: go on from a checkpoint/);
  await network.accumulate(gradientOn(failing, drawn()), 1);
  await assert.rejects(network.update(settings, 'nothing', true), /failed half-way/);
  network.drop();
  const stored = storedIn(new Map([['network', whole]])).get('network');
  (await network.read(stored, 0)).take();
  assert.deepEqual(await saved(network), whole);
  await network.dispose();
});
