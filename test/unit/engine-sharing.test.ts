/** Programs that are computed in parts side by side: the same from outside, whatever the method. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Engine, Program } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { inParts, partsOf, type Sharing, spansOf, takeSpans } from '../../backend/engine/sharing.ts';
import { gradients } from '../../backend/graph/gradients.ts';
import { Graph } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { methodOf } from '../../backend/methods/index.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { createTeachTrainer } from '../../backend/teach/teach.ts';
import { uniform } from '../random.ts';
import { draw } from './engine-contract/contract.ts';
import { assertClose } from './graph-ops/check.ts';
import { scratch, tinyNetwork, tinyTeacher } from './training/tiny.ts';

const root = scratch();
const one = createOnnxRuntimeEngine({ device: 'cpu', threads: 1, way: 'c-api' });
const two = createOnnxRuntimeEngine({ device: 'cpu', threads: 2, way: 'c-api' });
after(async () => {
  await one.dispose();
  await two.dispose();
  fs.rmSync(root, { recursive: true });
});

interface RowsShape {
  readonly batch: number;
  readonly regression?: { readonly batch: number } | null;
  readonly wide?: number;
}

/** y of samples and of pairs after them, their mean, and what the weights' gradient is: values are many, weights few. */
function rowsGraph({ batch, regression, wide = 8 }: RowsShape): Graph {
  const graph = new Graph();
  const count = batch + (regression?.batch ?? 0);
  const x = graph.input('x', [count, 3, wide]);
  const w = graph.input('w', [3, 1]);
  const y = ops.tanh(ops.mul(x, w));
  graph.output('y', ops.sliceAxis(y, 0, 0, batch));
  if (regression) graph.output('yRef', ops.sliceAxis(ops.mul(y, graph.input('scale', [])), 0, batch, count));
  const ofSamples = ops.mean(ops.square(ops.sliceAxis(y, 0, 0, batch)));
  const loss = regression ? ops.add(ofSamples, ops.mean(ops.sliceAxis(y, 0, batch, count))) : ofSamples;
  graph.output('loss', ops.reshape(loss, [1]));
  graph.output('gradient', gradients(loss, [w])[0]!);
  return graph;
}

async function valuesOf(program: Program, feeds: Record<string, TensorData>): Promise<Map<string, Float32Array>> {
  const results = await program.run(feeds);
  const found = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(results)) {
    found.set(name, (await tensor.read()).slice());
    tensor.dispose();
  }
  return found;
}

const drawsOf = (graph: Graph) =>
  Object.fromEntries([...graph.inputs].map(([name, { shape }]) => [name, draw(...shape)]));

test('a batch is shared out where every kind of its samples comes out even', () => {
  assert.deepEqual(
    [[32], [32, 8], [6, 4], [6, 9], [5], [1, 2]].map((rows) => partsOf({ rows }, 4)),
    [4, 4, 2, 3, 1, 1],
  );
  assert.deepEqual(spansOf([6, 2], [4, 2], 1, 2), [
    [4, 8],
    [10, 12],
  ]);
  assert.deepEqual(spansOf([2, 2], [4, 2], 1, 2), [[2, 4]]);
  assert.deepEqual([...takeSpans(Float32Array.of(0, 1, 2, 3, 4, 5), spansOf([6], [4, 2], 1, 2))], [2, 3, 5]);
  assert.throws(() => spansOf([3], [4, 2], 0, 2), /\[3\] has neither all rows nor one kind's of \[4,2\]/);
});

test('a shared program gives what the whole one gives, again and again, from the host and from the device', async () => {
  for (const shape of [
    { batch: 6 },
    { batch: 2 },
    { batch: 4, regression: { batch: 2 } },
    { batch: 2, regression: { batch: 6 } },
  ]) {
    const { graph, sharing } = inParts(shape, rowsGraph);
    const shared: number[] = [];
    const part = (of: number) => {
      shared.push(of);
      return sharing.part(of);
    };
    const counted: Sharing = { ...sharing, part };
    const [whole, parts] = [await one.compile(graph), await two.compile(graph, { sharing: counted })];
    assert.deepEqual(shared, [2]);
    assert.deepEqual([...parts.inputs], [...whole.inputs]);
    assert.deepEqual([...parts.outputs], [...whole.outputs]);
    const seen: Float32Array[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const feeds = drawsOf(graph);
      const expected = await valuesOf(whole, feeds);
      const found = await parts.run({ ...feeds, ...(turn % 2 ? { x: two.upload(feeds.x!) } : {}) });
      for (const [name, tensor] of Object.entries(found)) {
        const numbers = await tensor.read();
        assertClose(numbers, expected.get(name)!, 1e-6, name);
        seen.push(numbers, numbers.slice());
        tensor.dispose();
      }
    }
    // Numbers that somebody has seen are never written over.
    for (let i = 0; i < seen.length; i += 2) assert.deepEqual(seen[i], seen[i + 1]);
    await whole.dispose();
    await parts.dispose();
    await assert.rejects(parts.run(drawsOf(graph)), /was disposed/);
  }
});

test('what does not come out even, one thread, and means that are as large as the values are computed as a whole', async () => {
  const never = (rows: readonly number[]): Sharing => ({ rows, part: () => assert.fail('it was shared out') });
  const odd = await two.compile(rowsGraph({ batch: 3 }), { sharing: never([3]) });
  const single = await one.compile(rowsGraph({ batch: 4 }), { sharing: never([4]) });
  await odd.dispose();
  await single.dispose();
  /** The gradient of a matrix has more numbers than all that is computed on the way. */
  const wide = ({ batch }: { batch: number }) => {
    const graph = new Graph();
    const w = graph.input('w', [64, 64]);
    const loss = ops.mean(ops.square(ops.matmul(graph.input('x', [batch, 64]), w)));
    graph.output('gradient', gradients(loss, [w])[0]!);
    return graph;
  };
  const { graph, sharing } = inParts({ batch: 2 }, wide);
  const [whole, asked] = [await two.compile(graph), await two.compile(graph, { sharing })];
  const feeds = drawsOf(graph);
  assert.deepEqual(await valuesOf(asked, feeds), await valuesOf(whole, feeds));
  await whole.dispose();
  await asked.dispose();
});

test('one thread computes many values in two parts, one after the other', async () => {
  const shape = { batch: 2, wide: 2 ** 20 };
  const { graph, sharing } = inParts(shape, rowsGraph);
  const asked: number[] = [];
  const counted: Sharing = { ...sharing, part: (of) => sharing.part(asked[asked.push(of) - 1]!) };
  const program = await one.compile(graph, { sharing: counted });
  assert.deepEqual(asked, [2]);
  const x = { shape: [2, 3, shape.wide], data: new Float32Array(6 * shape.wide).map((_, i) => (i % 1000) / 1000) };
  const w = draw(3, 1);
  const found = await valuesOf(program, { x, w });
  const expected = x.data.map((value, i) => Math.tanh(value * w.data[Math.floor(i / shape.wide) % 3]!));
  assertClose(found.get('y')!, expected, 1e-6, 'y');
  // The runtime sums three million numbers in float32.
  assertClose(found.get('loss')!, [expected.reduce((sum, y) => sum + y * y, 0) / expected.length], 1e-3, 'loss');
  await program.dispose();
});

test('a shared run can be ended, refuses what an ordinary one refuses, and leaves nothing behind', async () => {
  const { graph, sharing } = inParts({ batch: 4 }, rowsGraph);
  const program = await two.compile(graph, { name: 'rows', sharing });
  const feeds = drawsOf(graph);
  await assert.rejects(program.run({ ...feeds, x: draw(3, 3, 8) }), /'rows': input 'x' is \[3,3,8\] where \[4,3,8\]/);
  await assert.rejects(program.run({ w: feeds.w! }), /'rows' needs input 'x' \[4,3,8\]/);
  await assert.rejects(program.run(feeds, { signal: AbortSignal.abort() }), /ended before it was done/);
  assertClose(
    (await valuesOf(program, feeds)).get('y')!,
    feeds.x!.data.map((x, i) => Math.tanh(x * feeds.w!.data[Math.floor(i / 8) % 3]!)),
    1e-6,
    'y',
  );
  await program.dispose();
});

/** `base`, which remembers what it is asked to compile in parts. */
function recorder(base: Engine) {
  const asked: { name: string; graph: Graph; sharing: Sharing }[] = [];
  const engine: Engine = {
    ...{ device: base.device, crossings: base.crossings, dispose: async () => {} },
    capabilities: () => base.capabilities(),
    upload: (value) => base.upload(value),
    receive: (shape, slices) => base.receive(shape, slices),
    compile(graph, { name = '', sharing } = {}) {
      if (sharing) asked.push({ name, graph, sharing });
      return base.compile(graph, { name });
    },
  };
  return { engine, asked };
}

/** Runs both parts one after the other, and puts together what an engine would. */
async function comparedInParts({ name, graph, sharing }: { name: string; graph: Graph; sharing: Sharing }) {
  const [whole, part] = [await one.compile(graph), await one.compile(sharing.part(2))];
  // Noise levels and second moments are positive.
  const feeds: Record<string, TensorData> = Object.fromEntries(
    [...graph.inputs].map(([input, { shape }]) => [
      input,
      { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => 0.02 + 0.2 * uniform()) },
    ]),
  );
  const expected = await valuesOf(whole, feeds);
  const found = await Promise.all(
    [0, 1].map((k) => {
      const own = Object.entries(feeds).map(([input, { shape, data }]) => {
        const { shape: ofPart } = part.inputs.get(input)!;
        const divided = ofPart.join() !== shape.join();
        return [
          input,
          { shape: ofPart, data: divided ? takeSpans(data, spansOf(shape, sharing.rows, k, 2)) : data },
        ] as const;
      });
      return valuesOf(part, Object.fromEntries(own));
    }),
  );
  for (const [output, numbers] of expected) {
    const { shape } = whole.outputs.get(output)!;
    const parts = found.map((each) => each.get(output)!);
    const divided = part.outputs.get(output)!.shape.join() !== shape.join();
    const mean = () => parts[0]!.map((value, i) => (value + parts[1]![i]!) / 2);
    if (!divided) assertClose(mean(), numbers, 2e-5, `${name}: ${output}`);
    else
      parts.forEach((own, k) => {
        assertClose(own, takeSpans(numbers, spansOf(shape, sharing.rows, k, 2)), 2e-5, `${name}: ${output}, part ${k}`);
      });
  }
  await whole.dispose();
  await part.dispose();
}

const quiet = { samplesEvery: 0, fieldsEvery: 0, histogramsEvery: 0, healthEvery: 0 };
const textModel = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const methods: [name: string, programs: readonly string[], change: object][] = [
  [
    'dmd',
    ['generator', 'fake score', 'generate'],
    { batch: 4, regression: { batch: 2, pairs: { count: 6, steps: 2 } }, fake: { updatesPerStep: 2 } },
  ],
  [
    'dmd',
    ['generator', 'fake score'],
    {
      batch: 2,
      teacher: textModel,
      text: { prompts: 'scenes', count: 5, guidance: 2 },
      regression: { pairs: { count: 6, steps: 2 } },
    },
  ],
  ['diff-instruct', ['generator', 'fake score'], { batch: 2 }],
  ['dmd2', ['generator', 'fake score', 'generate'], { batch: 4 }],
  ['dmd2', [], { batch: 2, matching: { divergence: 'jeffreys' } }],
  ['consistency', ['generator'], { batch: 4, levels: { count: 6 } }],
  ['progressive', ['student'], { batch: 4, stages: { steps: [4, 2, 1], iterations: 2 } }],
];
for (const [method, programs, change] of methods) {
  test(`${method}, ${JSON.stringify(change).slice(0, 60)}: samples have no part in each other, and the rest are means`, async () => {
    const teacher = await tinyTeacher(root, { label_dim: 10, attn_resolutions: [8] });
    const config = {
      ...{ kind: 'distill', method, name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
      ...{ iterations: 4, record: quiet },
      ...change,
    };
    const parsed = parseConfig(JSON.stringify(config), 'tiny');
    assert.ok(parsed.kind === 'distill');
    const { engine, asked } = recorder(one);
    const dry = await methodOf(parsed).dryRun(engine, parsed, { bytes: 1e12, flops: 1e15 });
    await dry.trainer.dispose();
    const names = new Set(asked.map(({ name }) => name));
    for (const name of programs) assert.ok(names.has(name), `${name} is not shared, but ${[...names]}`);
    if (programs.length === 0) assert.deepEqual([...names], []);
    for (const each of asked) await comparedInParts(each);
  });
}

test("a teacher's lesson is shared out", async () => {
  const network = createNetwork(tinyNetwork);
  const { engine, asked } = recorder(one);
  const update = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1, emaDecays: [] };
  const trainer = await createTeachTrainer(engine, {
    ...{
      network,
      seed: 1,
      batch: 4,
      accumulation: 1,
      emas: [],
      sigmaData: 0.5,
      meanLogSigma: -1,
      stdLogSigma: 1,
      initial: null,
    },
    settings: () => update,
    images: async () => assert.fail('no step is taken'),
  } as never);
  await trainer.dispose();
  assert.equal(asked.length, 1);
  for (const each of asked) await comparedInParts(each);
});
