/** Frozen weights as constants and as inputs compute the same; large ones that are given away are in memory once. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DeviceTensor, Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { intoBlocks, rearrangeIntoBlocks } from '../../backend/engine/onnxruntime/kernel-blocks.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { add, conv2d, matmul } from '../../backend/graph/ops/index.ts';
import type { ParameterSource } from '../../backend/graph/parameters.ts';
import { handOver, type TensorData } from '../../backend/graph/tensor-data.ts';
import { FrozenWeights } from '../../backend/models/frozen-weights.ts';
import { sourceOf } from '../../backend/weights/array-source.ts';
import { draw } from './engine-contract/contract.ts';

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => engine.dispose());

/** How large a network says that it is, in numbers: 80 MB, and 400 MB. */
const [small, middle, large] = [1e3, 2e7, 1e8];
const shapes = { kernel: [32, 32, 3, 3], point: [32, 32, 1, 1], matrix: [8, 8] };
const numbers = new Map(Object.entries(shapes).map(([name, shape]) => [name, draw(...shape)]));
const weights = () => new Map(Array.from(numbers, ([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
const x = draw(1, 32, 8, 8);
const layoutOf = (size: number) => ({ entries: [], chunks: [], size, trainedSize: size });
const init = { kind: 'zeros' } as const;

function build(graph: Graph, source: ParameterSource): void {
  const get = (name: keyof typeof shapes) => source.get(name, shapes[name], init);
  const image = conv2d(graph.input('x', [1, 32, 8, 8]), get('kernel'), null, { padding: 1 });
  graph.output('y', matmul(add(conv2d(image, get('point'), null), image), get('matrix')));
}

async function drawn(frozen: FrozenWeights): Promise<{ y: Float32Array; fed: string[] }> {
  const { source, feeds } = await frozen.placed();
  const graph = new Graph();
  build(graph, source(graph));
  const program = await engine.compile(graph);
  const run = async () => (await program.run({ ...feeds, x })).y!.read();
  const y = (await run()).slice();
  assert.deepEqual(await run(), y, 'again, in the layout of the first time');
  return { y, fed: Object.keys(feeds) };
}

const blocks = (await engine.capabilities()).channelBlock > 0;

for (const { size, fed } of [
  { size: middle, fed: blocks ? ['weights/kernel'] : [] },
  { size: large, fed: ['weights/kernel', 'weights/point', 'weights/matrix'] },
]) {
  for (const given of [false, true]) {
    test(`a network of ${(4 * size) / 1e6} MB is fed ${fed.length} of its weights${given ? ', which are given away' : ''}`, async () => {
      const own = weights();
      const plain = new FrozenWeights(engine, { layout: layoutOf(small), read: async () => weights(), given });
      const frozen = new FrozenWeights(engine, { layout: layoutOf(size), read: async () => own, given });
      const [wanted, found] = [await drawn(plain), await drawn(frozen)];
      assert.deepEqual(wanted.fed, []);
      assert.deepEqual(found.fed, fed);
      for (const [i, value] of wanted.y.entries())
        assert.ok(Math.abs(value - found.y[i]!) < 1e-4 * (1 + Math.abs(value)));
      for (const [name, { data }] of own) {
        if (given && fed.includes(`weights/${name}`)) assert.equal(data.length, 0, `${name} is gone`);
        else assert.deepEqual(data, numbers.get(name)!.data, `${name} is as it was`);
      }
      await frozen.dispose();
      await plain.dispose();
    });
  }
}

test('weights that could not be read are read again', async () => {
  let tries = 0;
  const read = async () => {
    tries++;
    if (tries === 1) throw new Error('no memory');
    return weights();
  };
  const frozen = new FrozenWeights(engine, { layout: layoutOf(large), read, given: true });
  await assert.rejects(frozen.placed(), /no memory/);
  assert.equal(Object.keys((await frozen.placed()).feeds).length, 3);
  await frozen.placed();
  assert.equal(tries, 2);
});

test('a device that shares constants with the host is fed none', async () => {
  const capabilities = async () => ({ ...(await engine.capabilities()), sharesConstants: true });
  const sharing = { capabilities, upload: () => assert.fail('nothing is uploaded') } as unknown as Engine;
  const frozen = new FrozenWeights(sharing, { layout: layoutOf(large), read: async () => weights(), given: true });
  assert.deepEqual((await frozen.placed()).feeds, {});
});

test('a kernel is brought into blocks where it is as anywhere else', () => {
  for (const shape of [
    [16, 8, 3, 3],
    [8, 24, 1, 3],
    [24, 16, 5, 5],
  ]) {
    const { data } = draw(...shape);
    const wanted = intoBlocks(data, shape, 8);
    rearrangeIntoBlocks(data, shape, 8);
    assert.deepEqual(data, wanted);
  }
});

test('what is handed over is no longer there; part of a larger array is copied', () => {
  const whole: TensorData = { shape: [3], data: Float32Array.of(1, 2, 3) };
  assert.deepEqual(handOver(whole), { shape: [3], data: Float32Array.of(1, 2, 3), given: true });
  assert.equal(whole.data.length, 0);
  const all = Float32Array.of(1, 2, 3, 4);
  const given = handOver({ shape: [2], data: all.subarray(1, 3) });
  given.data[0] = 9;
  assert.deepEqual(all, Float32Array.of(1, 2, 3, 4));
});

test('weights that turn out damaged half-way leave nothing on the device', async () => {
  const received: DeviceTensor[] = [];
  const watched: Engine = {
    ...{ device: engine.device, crossings: engine.crossings, dispose: async () => {} },
    ...{ capabilities: () => engine.capabilities(), upload: (value) => engine.upload(value) },
    compile: (graph) => engine.compile(graph),
    async receive(shape, slices) {
      received.push(await engine.receive(shape, slices));
      return received.at(-1)!;
    },
  };
  async function* damaged(): AsyncGenerator<Float32Array> {
    yield new Float32Array(1);
    throw new Error('it is damaged');
  }
  const sources = new Map([
    ['sound', sourceOf(draw(2, 3))],
    ['damaged', { shape: [2], slices: damaged }],
  ]);
  const frozen = new FrozenWeights(watched, {
    ...{ layout: layoutOf(large), read: async () => sources, given: false, asInputs: true },
  });
  await assert.rejects(frozen.placed(), /it is damaged/);
  assert.equal(received.length, 1);
  await assert.rejects(received[0]!.read(), /was disposed/);
});
