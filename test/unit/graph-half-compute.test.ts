/** Computing in float16 with float32 around it (backend/graph/onnx/half-compute.ts), as the CPU computes it by widening each operator's inputs. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { lowerGraph } from '../../backend/graph/onnx/emit.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { flatten } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { draw } from './engine-contract/contract.ts';

const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

/** A small network of every kind of layer over flat parameters, a loss, and its gradient times `scale`. */
function network(computes: 'float32' | 'float16'): Graph {
  const graph = new Graph();
  graph.computes = computes;
  const shapes = [[4, 3, 3, 3], [4], [4], [4], [4, 4, 3, 3], [4, 4], [3, 4, 1, 1]];
  const count = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const flat = graph.input('parameters', [count]);
  let at = 0;
  const [w1, b1, scale, shift, w2, mix, w3] = shapes.map((shape) => {
    const start = at;
    at += sizeOf(shape);
    return ops.reshape(ops.slice(flat, [start], [at]), shape);
  });
  const x = graph.input('x', [3, 3, 5, 5]);
  const noise = graph.input('noise', x.shape);
  let image = ops.add(ops.conv2d(x, w1!, null, { padding: 1 }), ops.reshape(b1!, [1, 4, 1, 1]));
  image = ops.silu(ops.groupNorm(image, scale!, shift!, 2, 1e-5));
  image = ops.add(image, ops.conv2d(image, w2!, null, { padding: 1 }));
  const rows = ops.transpose(ops.reshape(image, [3, 4, 25]), [0, 2, 1]);
  image = ops.reshape(ops.transpose(ops.matmul(rows, mix!), [0, 2, 1]), [3, 4, 5, 5]);
  const denoised = ops.conv2d(image, w3!, null, {});
  const loss = ops.mean(ops.square(ops.sub(denoised, noise)));
  graph.output('denoised', denoised);
  graph.output('loss', loss);
  const gradient = ops.mul(graph.input('scale', []), 1);
  graph.output('gradient', flatten(gradients([{ of: loss, gradient }], [w1!, b1!, scale!, shift!, w2!, mix!, w3!])));
  return graph;
}

async function run(graph: Graph, feeds: Readonly<Record<string, TensorData>>) {
  const program = await cpu.compile(graph);
  const results = await program.run(feeds);
  const read = async (name: string) => (await results[name]!.read()).slice();
  return { denoised: await read('denoised'), loss: await read('loss'), gradient: await read('gradient') };
}

const scaleOf = (value: number): TensorData => ({ shape: [], data: Float32Array.of(value) });

/** Root mean square of the difference over that of what is expected. */
function error(actual: Float32Array, expected: Float32Array): number {
  const square = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(actual.map((value, i) => value - expected[i]!)) / square(expected));
}

test('a network and its gradient in float16 are those in float32 within its digits, at any scale of the loss', async () => {
  const graph = network('float32');
  const { parameters } = Object.fromEntries([...graph.inputs].map(([name, { shape }]) => [name, draw(...shape)]));
  const feeds = { parameters: parameters!, x: draw(3, 3, 5, 5), noise: draw(3, 3, 5, 5) };
  const exact = await run(graph, { ...feeds, scale: scaleOf(1) });
  for (const scale of [1, 16]) {
    const half = await run(network('float16'), { ...feeds, scale: scaleOf(scale) });
    for (const key of ['denoised', 'loss', 'gradient'] as const) {
      const unscaled = key === 'gradient' ? half[key].map((value) => value / scale) : half[key];
      const off = error(unscaled, exact[key]);
      assert.ok(off < 4e-3, `${key} at ${scale}: ${off}`);
      assert.ok(off > 1e-6, `${key} is rounded: ${off}`);
    }
  }
});

test('a gradient beyond float16 is infinite or not a number, and small ones are kept by the scale alone', async () => {
  const graph = network('float16');
  const small = { ...draw(3, 3, 5, 5) };
  const feeds = { parameters: draw(...graph.inputs.get('parameters')!.shape), x: small, noise: draw(3, 3, 5, 5) };
  const { gradient, loss } = await run(graph, { ...feeds, scale: scaleOf(2 ** 30) });
  assert.ok(gradient.some((value) => !Number.isFinite(value)));
  assert.ok(Number.isFinite(loss[0]));
  const [lost] = [await run(graph, { ...feeds, scale: scaleOf(2 ** -24) })];
  const kept = await run(network('float32'), { ...feeds, scale: scaleOf(2 ** -24) });
  assert.ok(error(lost.gradient, kept.gradient) > 0.02, 'what is below its smallest number is gone');
});

test('parameters are rounded once, as one buffer; losses, sums and norms stay float32; inputs and results are as declared', () => {
  const graph = network('float16');
  const { nodes, inputs, outputs, initializers } = lowerGraph(graph);
  const casts = nodes.filter(({ opType, inputs: read }) => opType === 'Cast' && read[0] === 'parameters');
  assert.equal(casts.length, 1);
  const half = (name: string) => name.endsWith('.half');
  for (const { opType, inputs: read } of nodes) {
    if (['Conv', 'MatMul', 'Gemm'].includes(opType)) assert.ok(read.every(half), opType);
    if (/^Reduce|Sqrt|Reciprocal|Softmax/.test(opType)) assert.ok(!read.some(half), opType);
  }
  assert.ok([...inputs, ...outputs].every(({ type }) => type === 'float32'));
  const made = new Set([...inputs.map(({ name }) => name), ...initializers.map(({ name }) => name)]);
  for (const { inputs: read, outputs: own } of nodes) {
    for (const name of read) assert.ok(name === '' || made.has(name), `${name} is read before it is made`);
    for (const name of own) assert.ok(!made.has(name) && made.add(name), `${name} is made twice`);
  }
  const sub = nodes.find(({ opType, inputs: read }) => opType === 'Sub' && read.includes('noise'))!;
  assert.ok(!sub.inputs.some(half), 'the loss');
  assert.deepEqual(
    lowerGraph(network('float32')).nodes.filter(({ opType }) => opType === 'Cast'),
    [],
  );
});

test('constants that float16 does not have keep an operation in float32', async () => {
  const graph = new Graph();
  graph.computes = 'float16';
  const [a, b] = [graph.input('a', [3, 4]), graph.input('b', [4, 5])];
  const y = ops.matmul(a, b);
  graph.output('tiny', ops.mul(y, 1e-6));
  graph.output('huge', ops.add(y, 1e6));
  graph.output('double', ops.mul(y, 2));
  const { nodes } = lowerGraph(graph);
  const names = nodes.filter(({ opType }) => opType === 'Mul' || opType === 'Add').map(({ outputs: [name] }) => name);
  assert.deepEqual(names, ['tiny', 'huge', 'double.half']);
  const feeds = { a: draw(3, 4), b: draw(4, 5) };
  const program = await cpu.compile(graph);
  const { tiny, double } = await program.run(feeds);
  const [small, twice] = [await tiny!.read(), await double!.read()];
  const close = (value: number, i: number) =>
    Math.abs(value * 1e6 - twice[i]! / 2) < 2e-3 * Math.max(1, Math.abs(twice[i]!));
  assert.ok(small.every(close));
});
