/**
 * ONNX Runtime on WebGPU against the CPU: operations with their gradients, the contract of engines, and a whole DMD
 * iteration. Where there is no GPU, SwiftShader does it slowly (npm test finds or installs it); where there is no
 * driver at all, the tests say so and are skipped.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { totalOf } from '../../backend/engine/crossings.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { runtime } from '../../backend/engine/onnxruntime/runtime.ts';
import { promisedLimits, webGpuLimits } from '../../backend/engine/onnxruntime/webgpu-limits.ts';
import { encodeModel } from '../../backend/graph/onnx/proto.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { testSeed } from '../random.ts';
import { draw, testContract, throughGraph } from '../unit/engine-contract/contract.ts';
import { checkCase } from '../unit/graph-ops/check.ts';
import { engineExecutor } from '../unit/graph-ops/executors.ts';
import { opCases } from '../unit/graph-ops/table.ts';
import { assertAgree } from './dmd-iteration/agree.ts';
import { createTrainer, runIteration } from './dmd-iteration/iteration.ts';

// In a process of its own: a broken driver may take the process down.
const probe = fileURLToPath(new URL('../../scripts/lib/webgpu-probe.mjs', import.meta.url));
const works = spawnSync(process.execPath, [probe], { timeout: 180_000 }).status === 0;
const options = works ? {} : { skip: 'WebGPU finds no driver here (npm test -- --install brings SwiftShader)' };

const engine = createOnnxRuntimeEngine({ device: 'webgpu' });
after(() => engine.dispose());

testContract('WebGPU', async () => createOnnxRuntimeEngine({ device: 'webgpu' }), options);

test('WebGPU: results stay on the device', options, async () => {
  const program = await engine.compile(throughGraph());
  const results = await program.run({ x: draw(2, 3), unused: draw(4) });
  for (const [name, tensor] of Object.entries(results)) {
    const { native } = tensor as unknown as { native: { location: string } };
    assert.equal(native.location, 'gpu-buffer', name);
    tensor.dispose();
  }
});

test("WebGPU: the adapter's limits are read, and hold", options, async () => {
  const { bindings, bindingBytes } = await webGpuLimits();
  assert.ok(bindings >= promisedLimits.bindings && bindingBytes >= promisedLimits.bindingBytes);
  const { splitOutputs, largestBuffer } = await engine.capabilities();
  assert.deepEqual([splitOutputs, largestBuffer], [bindings - 1, Math.min(bindingBytes, 2 ** 32)]);
  const pieces = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `y${i}`);
    return runtime.InferenceSession.create(
      encodeModel({
        nodes: [
          {
            ...{ name: 'split', opType: 'Split', domain: '', inputs: ['x'] },
            ...{ outputs: names, attributes: { axis: 0, num_outputs: count } },
          },
        ],
        initializers: [],
        inputs: [{ name: 'x', shape: [count] }],
        outputs: names.map((name) => ({ name, shape: [1] })),
        opsets: [{ domain: '', version: 18 }],
        metadata: {},
      }),
      { executionProviders: ['webgpu'], logSeverityLevel: 4 },
    );
  };
  const fed = (count: number) => ({ x: new runtime.Tensor('float32', new Float32Array(count).fill(3), [count]) });
  const whole = await (await pieces(splitOutputs)).run(fed(splitOutputs));
  assert.deepEqual(
    Object.values(whole).map(({ data }) => data[0]),
    new Array(splitOutputs).fill(3),
  );
  await assert.rejects((await pieces(bindings)).run(fed(bindings)), /Too many storage buffers/);
});

test('WebGPU: what is larger than a piece is put together and taken apart on the device', options, async () => {
  const count = 2 ** 23 + 2 ** 22 + 3; // a multiple of 5, not of a piece
  const at = (i: number) => (i * 7) % 65_521;
  async function* slices() {
    for (let start = 0; start < count; start += 3_000_001) {
      yield Float32Array.from({ length: Math.min(3_000_001, count - start) }, (_, i) => at(start + i));
    }
  }
  const tensor = await engine.receive([5, count / 5], slices());
  const { native } = tensor as unknown as { native: { location: string } };
  assert.equal(native.location, 'gpu-buffer');
  const lengths: number[] = [];
  let [seen, wrong] = [0, 0];
  for await (const slice of tensor.slices(5_000_000)) {
    lengths.push(slice.length);
    for (const value of slice) wrong += value === at(seen++) ? 0 : 1;
  }
  assert.equal(wrong, 0);
  assert.deepEqual(lengths, [5_000_000, 5_000_000, count - 10_000_000]);
  tensor.dispose();
});

test('WebGPU: operations and their gradients agree with the oracle', options, async (t) => {
  const webgpu = engineExecutor('WebGPU', engine);
  for (const entry of chosenCases()) {
    const title = `${entry.op}: ${entry.name}`;
    await t.test(title, async () => {
      await checkCase(entry, [webgpu], stream(testSeed, title));
    });
  }
});

/** The first case of each operation, and the unusual convolutions; finite differences are the unit tests' business. */
function chosenCases() {
  const unusual = ['uneven padding', 'stride 2, odd image, rest unused', 'two groups'];
  const seen = new Set<string>();
  const images = opCases.filter(({ inputs }) => inputs.some(({ shape }) => shape.length > 0));
  const chosen = images.filter(({ op, name }) => {
    const first = !seen.has(op);
    seen.add(op);
    return first || (op.startsWith('conv2d') && unusual.includes(name));
  });
  return chosen.map((entry) => ({
    ...entry,
    tolerance: 1e-3,
    gradient: entry.gradient === 'none' ? ('none' as const) : ('agrees' as const),
  }));
}

test('WebGPU: a whole DMD iteration agrees with the CPU', options, async () => {
  const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const expected = await runIteration(cpu);
  await cpu.dispose();
  assertAgree(await runIteration(engine), expected, 1e-3);
});

test(
  'WebGPU: what crosses between host and device in an iteration is its draws, its settings and one word of numbers',
  options,
  async (t) => {
    engine.crossings!.take();
    const trainer = await createTrainer(engine, 2);
    t.after(() => trainer.dispose());
    // The runtime's types show the factory; the object is the class.
    const { prototype } = runtime.InferenceSession as unknown as { prototype: InferenceSession };
    const { run } = prototype;
    const [toDevice, toHost] = [
      { copies: 0, bytes: 0 },
      { copies: 0, bytes: 0 },
    ];
    const count = (total: typeof toDevice, { location, size, type }: Tensor) => {
      if (location !== 'cpu') return;
      total.copies += 1;
      total.bytes += size * (type === 'float16' ? 2 : 4);
    };
    t.mock.method(prototype, 'run', async function (this: InferenceSession, feeds: Record<string, Tensor>) {
      for (const tensor of Object.values(feeds)) count(toDevice, tensor);
      const results: Record<string, Tensor> = await run.call(this, feeds, {});
      for (const tensor of Object.values(results)) count(toHost, tensor);
      return results;
    });
    const states = trainer.networks.flatMap((network) => [...network.save()].filter(([name]) => name !== 'steps'));
    const stateBytes = states.reduce((sum, [, { shape }]) => sum + 4 * sizeOf(shape), 0);
    assert.equal(engine.crossings!.take().toDevice.get('received')?.bytes, stateBytes, 'where training begins');
    await trainer.advance();
    const first = engine.crossings!.take();
    assert.deepEqual(totalOf(first, 'toDevice'), toDevice, 'the engine counts what the runtime is given');
    assert.deepEqual(totalOf(first, 'toHost'), toHost, 'and what it gives back');
    assert.ok(first.toDevice.has('teacher') && !first.toDevice.has('received'));
    await trainer.advance();
    const crossed = engine.crossings!.take();
    const settings = ['adamW', 'limits', 'lambda', 'factor'];
    const draws = ['z', 'labels', 'noise', 'sigma', 'yRef', 'noiseFake', 'sigmaFake'];
    assert.deepEqual([...crossed.toDevice.keys()].sort(), [...settings, ...draws].sort());
    // Two micro-batches of the generator's half and of each fake-score update, and an update after each of the three.
    const bytes = 4 * (2 * 5 + 4 * 1 + 3 * 1);
    assert.deepEqual([...crossed.toHost], [['numbers', { copies: 1, bytes }]]);
  },
);
