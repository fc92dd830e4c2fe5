/** What every engine promises (backend/engine/engine.ts): who owns a tensor, what a run may touch, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceTensor, Engine } from '../../../backend/engine/engine.ts';
import { Graph } from '../../../backend/graph/graph.ts';
import { floatsToHalves, floatToHalf, halfToFloat } from '../../../backend/graph/half.ts';
import * as ops from '../../../backend/graph/ops/index.ts';
import { sizeOf, type TensorData, tensorData } from '../../../backend/graph/tensor-data.ts';
import { uniform } from '../../random.ts';

export const draw = (...shape: number[]) => tensorData(shape, Float32Array.from({ length: sizeOf(shape) }, uniform));

/** x + 1; x itself, twice and reshaped; a constant; and an input that nothing reads. */
export function throughGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  graph.input('unused', [4]);
  graph.output('next', ops.add(x, 1));
  graph.output('same', x);
  graph.output('detached', ops.detach(x));
  graph.output('flat', ops.reshape(x, [6]));
  graph.output('constant', graph.constant([2], [7, 8]));
  return graph;
}

const values = async (tensor: DeviceTensor) => Array.from(await tensor.read());

/** y: a convolution with a kernel that is an input; and what else uses that kernel. */
function kernelGraph(image: readonly number[], kernel: readonly number[], use?: 'doubled' | 'grouped'): Graph {
  const graph = new Graph();
  const w = graph.input('w', kernel);
  const x = graph.input('x', image);
  graph.output('y', ops.conv2d(x, w, null, { padding: 1 }));
  if (use === 'doubled') graph.output('doubled', ops.mul(w, 2));
  // Each group sees the same image, which comes to the same.
  const grouped = () => ops.conv2d(ops.concat([x, x], 1), w, null, { padding: 1, groups: 2 });
  if (use === 'grouped') graph.output('again', grouped());
  return graph;
}

/** A convolution of stride 1 with a border of zeros, number by number. */
function convolved(x: TensorData, kernel: TensorData): Float64Array {
  const [count, channels, height, width] = x.shape;
  const [outChannels, , size] = kernel.shape;
  const y = new Float64Array(count * outChannels * height * width);
  const at = (n: number, c: number, row: number, column: number) =>
    row < 0 || column < 0 || row >= height || column >= width
      ? 0
      : x.data[((n * channels + c) * height + row) * width + column];
  for (let i = 0; i < y.length; i++) {
    const [column, row] = [i % width, Math.floor(i / width) % height];
    const o = Math.floor(i / width / height) % outChannels;
    const n = Math.floor(i / width / height / outChannels);
    for (let k = 0; k < channels * size * size; k++) {
      const [dx, dy, c] = [k % size, Math.floor(k / size) % size, Math.floor(k / size / size)];
      y[i] += kernel.data[o * channels * size * size + k] * at(n, c, row + dy - 1, column + dx - 1);
    }
  }
  return y;
}

/** Declares the tests of the contract for one engine. */
export function testContract(name: string, open: () => Promise<Engine>, options: { skip?: string } = {}): void {
  test(`${name}: results outlive later runs, their feeds and their program`, options, async () => {
    const engine = await open();
    const program = await engine.compile(throughGraph());
    const unused = draw(4);
    const first = draw(2, 3);
    const firstNumbers = Array.from(first.data);
    const feed = engine.upload(tensorData([2, 3], first.data.slice()));
    const results = await program.run({ x: feed, unused });
    const expected = Array.from(first.data.map((v) => v + 1));
    const second = await program.run({ x: draw(2, 3), unused });
    assert.deepEqual(await values(feed), firstNumbers, 'a feed is only read');
    feed.dispose();
    await program.dispose();
    assert.deepEqual(await values(results.next), expected);
    for (const key of ['same', 'detached', 'flat']) assert.deepEqual(await values(results[key]), firstNumbers, key);
    assert.deepEqual(await values(results.constant), [7, 8]);
    assert.deepEqual(results.flat.shape, [6]);
    assert.notDeepEqual(await values(second.next), expected);
    await assert.rejects(program.run({ x: draw(2, 3), unused }), /disposed/);
    for (const tensor of Object.values(results)) tensor.dispose();
    for (const tensor of Object.values(second)) tensor.dispose();
    await engine.dispose();
  });

  test(
    `${name}: a result is fed to another program, and the host's array may change after a run`,
    options,
    async () => {
      const engine = await open();
      const [one, two] = [await engine.compile(throughGraph()), await engine.compile(throughGraph())];
      const host = draw(2, 3);
      const start = Array.from(host.data);
      const unused = draw(4);
      const first = await one.run({ x: host, unused });
      host.data.fill(NaN);
      const second = await two.run({ x: first.next, unused });
      assert.deepEqual(await values(first.same), start);
      assert.deepEqual(await values(second.same), await values(first.next));
      first.next.dispose();
      assert.ok((await values(second.next)).every((v, i) => Math.abs(v - start[i] - 2) < 1e-6));
      await engine.dispose();
    },
  );

  test(
    `${name}: float16 is held to the bit and read as float32 in slices, or said to be impossible`,
    options,
    async () => {
      const engine = await open();
      const numbers = Float32Array.of(1, -2.5, 65504, 2 ** -24, -0, 0.1);
      const held = numbers.map((number) => halfToFloat(floatToHalf(number)));
      if ((await engine.capabilities()).holds.includes('float16')) {
        const graph = new Graph();
        const x = graph.input('x', [6], 'float16');
        graph.output('part', ops.mul(ops.widen(ops.slice(x, [1], [4])), 2));
        graph.output('all', ops.widen(x));
        graph.output('same', x);
        const program = await engine.compile(graph);
        const feed = engine.upload({ shape: [6], halves: floatsToHalves(numbers) });
        assert.deepEqual(await values(feed), [...held], 'before a run');
        for (let turn = 0; turn < 2; turn++) {
          const { part, all, same } = await program.run({ x: feed });
          assert.deepEqual(await values(part), [-5, 2 * 65504, 2 ** -23]);
          assert.deepEqual(await values(all), [...held]);
          assert.deepEqual([part.type, all.type, same.type, feed.type], ['float32', 'float32', 'float16', 'float16']);
          const again = await program.run({ x: same });
          assert.deepEqual(await values(again.all), [...held], 'a result that is float16 is fed again');
          for (const tensor of [part, all, same, ...Object.values(again)]) tensor.dispose();
        }
        assert.deepEqual(await values(feed), [...held], 'after runs');
        await assert.rejects(program.run({ x: draw(6) }), /input 'x' is float32 where float16 is declared/);
        const wide = await engine.compile(kernelGraph([1, 1, 2, 3], [1, 1, 3, 2]), { name: 'wide' });
        const halves = engine.upload({ shape: [1, 1, 3, 2], halves: floatsToHalves(numbers) });
        const fed = wide.run({ x: draw(1, 1, 2, 3), w: halves });
        await assert.rejects(fed, /program 'wide': input 'w' is float16 where float32 is declared/);
        halves.dispose();
        feed.dispose();
      } else {
        assert.match(name, /WebGPU/, 'only graphics cards may lack float16');
      }
      const next = await engine.compile(throughGraph());
      const { same } = await next.run({ x: tensorData([2, 3], held.slice()), unused: draw(4) });
      assert.deepEqual(await values(same), [...held], 'the engine still works');
      await engine.dispose();
    },
  );

  test(`${name}: a kernel is fed as it is, whatever layout the device takes it in`, options, async () => {
    const engine = await open();
    const shape = [32, 16, 3, 3];
    const host = draw(...shape);
    const x = draw(3, 16, 5, 7);
    const expected = convolved(x, host);
    const start = Array.from(host.data);
    const kernel = engine.upload(host);
    const compile = (use?: 'doubled' | 'grouped') => engine.compile(kernelGraph(x.shape, shape, use));
    const [alone, doubling, grouping] = [await compile(), await compile('doubled'), await compile('grouped')];
    const turns = [
      [alone, kernel],
      [doubling, kernel],
      [alone, kernel],
      [grouping, kernel],
      [alone, host],
    ] as const;
    for (const [program, w] of turns) {
      const { y, doubled, again } = await program.run({ x, w });
      for (const result of again ? [y, again] : [y]) {
        const actual = await result.read();
        const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
        assert.ok(worst < 1e-4, `off by ${worst}`);
      }
      const twice = start.map((value) => 2 * value);
      if (doubled) assert.deepEqual(await values(doubled), twice);
    }
    assert.deepEqual(await values(kernel), start);
    assert.deepEqual(Array.from(host.data), start, 'the host keeps its array');
    kernel.dispose();
    await engine.dispose();
  });

  test(`${name}: wrong feeds are named, and nothing is run`, options, async () => {
    const engine = await open();
    const program = await engine.compile(throughGraph(), { name: 'update' });
    const unused = draw(4);
    await assert.rejects(program.run({ unused }), /program 'update' needs input 'x' \[2,3\]/);
    const wrong = /program 'update': input 'x' is \[3,2\] where \[2,3\] is declared/;
    await assert.rejects(program.run({ x: draw(3, 2), unused }), wrong);
    const gone = engine.upload(draw(2, 3));
    gone.dispose();
    await assert.rejects(program.run({ x: gone, unused }), /this device tensor was disposed/);
    await assert.rejects(async () => gone.read(), /this device tensor was disposed/);
    await assert.rejects(engine.compile(new Graph()), /a graph without outputs computes nothing/);
    await engine.dispose();
  });

  test(`${name}: numbers arrive in slices of any lengths, and leave in slices of one`, options, async () => {
    const engine = await open();
    const program = await engine.compile(throughGraph());
    const shape = [3, 7, 5];
    const numbers = draw(...shape).data;
    const received = await engine.receive(shape, inSlices(numbers, [1, 0, 40, 63, 1]));
    assert.deepEqual(received.shape, shape);
    assert.deepEqual(await values(received), [...numbers]);
    for (const size of [1, 8, 35, 104, 105, 2 ** 22]) {
      assert.deepEqual(await sliced(received, size), chunks(numbers, size), `${size} at a time`);
    }
    const x = await engine.receive([2, 3], inSlices(numbers.subarray(9, 15), [6]));
    const { next, flat, constant } = await program.run({ x, unused: draw(4) });
    const above = numbers.slice(9, 15).map((value) => value + 1);
    assert.deepEqual(await sliced(next, 4), chunks(above, 4), 'a result');
    assert.deepEqual((await sliced(flat, 5)).flat(), [...numbers.subarray(9, 15)]);
    assert.deepEqual(await sliced(constant, 1), [[7], [8]]);
    const uploaded = engine.upload(draw(2, 3));
    const start = await values(uploaded);
    assert.deepEqual(await sliced(uploaded, 4), chunks(start, 4), 'before a run');
    await program.run({ x: uploaded, unused: draw(4) });
    assert.deepEqual(await sliced(uploaded, 4), chunks(start, 4), 'after a run');
    for (const tensor of [received, x, next, flat, constant, uploaded]) tensor.dispose();
    await assert.rejects(sliced(received, 2), /this device tensor was disposed/);
    await engine.dispose();
  });

  test(`${name}: slices that are too few, too many, or break off make no tensor`, options, async () => {
    const engine = await open();
    const numbers = draw(7).data;
    const few = /\[2, 4\] has 8 numbers, and only 7 arrived/;
    await assert.rejects(engine.receive([2, 4], inSlices(numbers, [3, 4])), few);
    await assert.rejects(
      engine.receive([6], inSlices(numbers, [3, 4])),
      /\[6\] has 6 numbers, and more than 6 arrived/,
    );
    await assert.rejects(engine.receive([2], inSlices(numbers, [])), /only 0 arrived/);
    const broken = async function* () {
      yield numbers;
      throw new Error('the disk is gone');
    };
    await assert.rejects(engine.receive([7], broken()), /the disk is gone/);
    await engine.dispose();
  });
}

/** Numbers in slices of these lengths. Each is poisoned once the next one is asked for. */
async function* inSlices(numbers: Float32Array, lengths: readonly number[]): AsyncGenerator<Float32Array> {
  let at = 0;
  for (const length of lengths) {
    const slice = numbers.slice(at, at + length);
    at += length;
    yield slice;
    slice.fill(Number.NaN);
  }
}

async function sliced(tensor: DeviceTensor, size: number): Promise<number[][]> {
  const slices: number[][] = [];
  for await (const slice of tensor.slices(size)) slices.push([...slice]);
  return slices;
}

function chunks(numbers: ArrayLike<number>, size: number): number[][] {
  const all = Array.from(numbers);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
