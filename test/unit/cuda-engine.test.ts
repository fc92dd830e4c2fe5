/**
 * CUDA through ONNX Runtime's C API, on a stand-in for the card (cuda/standin.c): memory that the host cannot touch, and copies that are
 * counted where they are made. Nothing here has run on a GPU: what is held is where numbers lie, what crosses, and what errors say.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { totalOf } from '../../backend/engine/crossings.ts';
import { openCudaIn } from '../../backend/engine/onnxruntime/cuda/open.ts';
import { createOnnxRuntimeEngine, wayInWords } from '../../backend/engine/onnxruntime/engine.ts';
import { Graph } from '../../backend/graph/graph.ts';
import * as ops from '../../backend/graph/ops/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';
import { createTrainer } from '../integration/dmd-iteration/iteration.ts';
import { setStandIn, standInCounts, useStandIn } from './cuda/standin.ts';
import { testContract } from './engine-contract/contract.ts';
import { runHere, scratch, teachConfig } from './training/tiny.ts';

const skip = useStandIn();
const options = skip === '' ? {} : { skip };
const open = () => createOnnxRuntimeEngine({ device: 'cuda', threads: 1 });

function plusOne(count: number): Graph {
  const graph = new Graph();
  graph.output('y', ops.add(graph.input('x', [count]), 1));
  return graph;
}

testContract('CUDA (a stand-in)', async () => open(), options);

test(
  'an iteration of DMD takes its draws in and gives one word of numbers out; state never crosses',
  options,
  async (t) => {
    const engine = open();
    const trainer = await createTrainer(engine, 2);
    t.after(async () => {
      trainer.dispose();
      await engine.dispose();
    });
    const counts = standInCounts();
    const iteration = async () => {
      counts();
      engine.crossings!.take();
      await trainer.advance();
      const { toDevice, toHost, held } = counts();
      const crossed = engine.crossings!.take();
      for (const [direction, native] of [
        ['toDevice', toDevice],
        ['toHost', toHost],
      ] as const) {
        const { copies, bytes } = totalOf(crossed, direction);
        assert.deepEqual([copies, bytes], native, `${direction}: the engine counts what the library copies`);
      }
      return { crossed, held };
    };
    await iteration();
    const second = await iteration();
    const settings = ['adamW', 'limits', 'lambda', 'factor'];
    const draws = ['z', 'labels', 'noise', 'sigma', 'yRef', 'noiseFake', 'sigmaFake'];
    assert.deepEqual([...second.crossed.toDevice.keys()].sort(), [...settings, ...draws].sort());
    // Two micro-batches of the generator's half and of each fake-score update, and an update after each of the three.
    const bytes = 4 * (2 * 5 + 4 * 1 + 3 * 1);
    assert.deepEqual([...second.crossed.toHost], [['numbers', { copies: 1, bytes }]]);
    for (let i = 0; i < 2; i++) {
      const { crossed, held } = await iteration();
      assert.deepEqual(crossed, second.crossed);
      assert.equal(held, second.held, 'two sets take turns: nothing is allocated');
    }
  },
);

test('memory of the card is given back, by tensors, programs and engines', options, async () => {
  const counts = standInCounts();
  const before = counts().held;
  const engine = open();
  const program = await engine.compile(plusOne(1000));
  let state = engine.upload({ shape: [1000], data: new Float32Array(1000) });
  for (let i = 0; i < 5; i++) {
    const { y } = await program.run({ x: state });
    state.dispose();
    state = y!;
  }
  assert.equal(counts().held - before, 2 * 4000, 'the state and the memory of the one before');
  assert.deepEqual(Array.from((await state.read()).subarray(0, 2)), [5, 5]);
  await program.dispose();
  assert.equal(counts().held - before, 4000);
  state.dispose();
  assert.equal(counts().held, before);
  engine.upload({ shape: [1000], data: new Float32Array(1000) });
  await engine.dispose();
  assert.equal(counts().held, before);
});

test('a full card is said to be full, with what would fit', options, async () => {
  const engine = open();
  engine.upload({ shape: [500_000], data: new Float32Array(500_000) });
  setStandIn('standin_limit', 3_000_000);
  const more = { shape: [500_000], data: new Float32Array(500_000) };
  assert.throws(
    () => engine.upload(more),
    (error) => {
      assert.ok(error instanceof UserError && error.kind === 'device');
      assert.match(
        error.message,
        /^cuda has no 2000000 bytes for a tensor: the card's memory is full \(2 MB of it hold/,
      );
      assert.match(error.hint, /smaller batch fits .*--device cpu/);
      return true;
    },
  );
  setStandIn('standin_limit', 0);
  assert.equal((await engine.upload(more).read()).length, 500_000, 'afterwards it goes on');
  await engine.dispose();
});

test(
  'a card that is lost during a run leaves an error that says how to go on, and a state that was not touched',
  options,
  async () => {
    const engine = open();
    const program = await engine.compile(plusOne(2), { name: 'update' });
    const x = engine.upload({ shape: [2], data: Float32Array.of(1, 2) });
    setStandIn('standin_lost_at', 1);
    await assert.rejects(program.run({ x }), (error) => {
      assert.ok(error instanceof UserError && error.kind === 'device');
      assert.match(error.message, /^cuda 'update' failed: the card or its driver was lost \(CUDA failure 719: /);
      assert.match(error.hint, /nvidia-smi still lists the card; --device cpu goes on without it/);
      return true;
    });
    setStandIn('standin_lost_at', 0);
    await engine.dispose();
  },
);

test('a training whose card is lost says where it stands, and goes on from there on the CPU', options, async () => {
  const root = scratch();
  const config = teachConfig({ device: 'cuda', iterations: 4, checkpoint: { every: 2 } });
  const onMessage = (message: RunMessage) => {
    if (message.type === 'checkpoint' && message.step === 2) setStandIn('standin_lost_at', 1);
  };
  const { last, folder } = await runHere({ config, root }, { onMessage });
  setStandIn('standin_lost_at', 0);
  assert.ok(last.type === 'failed', JSON.stringify(last));
  assert.equal(last.error.kind, 'device', last.error.stack);
  assert.match(
    last.error.message,
    /^cuda '.+' failed: the card or its driver was lost .+; the run stands at its checkpoint of step 2$/,
  );
  assert.match(last.error.hint, /go on from there: dmd teach --resume \S+ --device cpu$/);
  const resumed = await runHere({ folder }, { set: ['device=cpu'] });
  assert.equal(resumed.last.type, 'ended', JSON.stringify(resumed.last));
  assert.deepEqual([...resumed.scalars.keys()], [3, 4]);
});

test('what cannot be opened is said in words, and what to do', options, async (t) => {
  const whole = process.env.DMD_CUDA!;
  const folder = mkdtempSync(join(tmpdir(), 'dmd-cuda-part-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const refused = (pattern: RegExp) => assert.throws(() => openCudaIn(folder), pattern);
  refused(/there is no libonnxruntime\.so in /);
  copyFileSync(join(whole, 'libonnxruntime.so.1'), join(folder, 'libonnxruntime.so.1'));
  refused(/there is no libonnxruntime_providers_cuda\.so in /);
  writeFileSync(join(folder, 'libonnxruntime_providers_cuda.so'), '');
  writeFileSync(join(folder, 'libcuda.so.1'), 'cut off');
  refused(/no NVIDIA driver \(libcuda\.so\.1\): install 580 or newer/);
  copyFileSync(join(whole, 'libcuda.so.1'), join(folder, 'libcuda.so.1'));
  process.env.STANDIN_VERSION = '1.29.1';
  refused(/the library is version 1\.29\.1, and 1\.30\.0 is known: dmd devices --fetch cuda gets the right one/);
  delete process.env.STANDIN_VERSION;
  writeFileSync(join(folder, 'libcublas.so.13'), 'half of it');
  refused(/libcublas\.so\.13 cannot be opened: .*too short/);
});

test("the provider's own refusals are said in words", options, async (t) => {
  const said: readonly [theirs: string, ours: RegExp][] = [
    ['dlopen: libcublasLt.so.12: cannot open shared object file', /libcublasLt\.so\.12 is missing, .* no other CUDA/],
    ['CUDA failure 100: no CUDA-capable device is detected ; GPU=-1', /the driver finds no NVIDIA GPU/],
    ['dlopen failed for libcudnn.so, cuDNN is unavailable', /^cuda cannot run 'probe': cuDNN 9 for CUDA 13 is missing/],
    ['some other refusal', /^cuda cannot run 'probe': some other refusal$/],
    ['CUDA failure 35: CUDA driver version is insufficient', /driver is older than CUDA 13 needs: install 580/],
  ];
  t.after(() => delete process.env.STANDIN_APPEND_FAILS);
  for (const [theirs, ours] of said) {
    process.env.STANDIN_APPEND_FAILS = theirs;
    const engine = open();
    await assert.rejects(engine.compile(plusOne(2), { name: 'probe' }), (error) => {
      assert.ok(error instanceof UserError && error.kind === 'device');
      assert.match(error.message, ours);
      return true;
    });
    await engine.dispose();
  }
});

test('dmd devices says through what it works', options, () => {
  assert.equal(wayInWords('cuda'), "ONNX Runtime's C API and CUDA 13");
});
