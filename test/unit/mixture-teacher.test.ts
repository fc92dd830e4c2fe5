/** A mixture as a teacher, from the config's form: its generator starts as the blob, its pairs are its own, mistakes are named. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { writePairs } from '../../backend/data/pairs.ts';
import { decodePng } from '../../backend/data/png.ts';
import { frameOf, scatter } from '../../backend/data/points/scatter.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { heldInMemory } from '../../backend/methods/common/held-pairs.ts';
import { openTeacher } from '../../backend/methods/common/open-teacher.ts';
import { dmdFindings } from '../../backend/methods/dmd/findings.ts';
import { generateGraph } from '../../backend/methods/dmd/graphs.ts';
import { distillSettings } from '../../backend/methods/dmd/settings.ts';
import { shapeOf } from '../../backend/methods/dmd/shape.ts';
import { loadTeacher } from '../../backend/models/teacher.ts';
import {
  applyOverrides,
  configProblems,
  type DistillConfig,
  parseConfig,
} from '../../backend/protocol/config/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { stream } from '../../backend/random/stream.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { checkChanges } from '../../backend/runs/loop/changes.ts';
import { presetConfig, presetText } from '../../backend/runs/presets.ts';
import { uniform } from '../random.ts';
import { runHere, scratch, stateBytes } from './training/tiny.ts';

const preset = presetConfig('distill', 'figure-3', '/') as DistillConfig;
const between = (low: number, high: number) => low + (high - low) * uniform();
const changed = (...set: string[]) => applyOverrides(preset, set) as DistillConfig;

test('the untrained generator makes the blob, wherever it is and however it is called', async () => {
  const [x, y] = [between(-2, 2), between(-2, 2)];
  const std = between(0.02, 0.5);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  for (const sigma of [80, 3]) {
    const start = JSON.stringify({ centre: [x, y], std });
    const config = changed(`mixture.start=${start}`, `generator.sigma=${sigma}`, 'mixture.width=16');
    const teacher = await openTeacher(config);
    const shape = shapeOf(config, teacher, null, false);
    const program = await engine.compile(generateGraph(shape, 50));
    const z = { shape: [50, 2, 1, 1], data: stream(uniform(), 'z').randn(100) };
    const generator = { shape: [shape.generator.layout.size], data: shape.generator.start(new Map(), stream(1, 'g')) };
    const points = (await (await program.run({ generator, z })).x!.read()).slice();
    points.forEach((value, i) => {
      const expected = [x, y][i % 2]! + std * z.data[i]!;
      assert.ok(Math.abs(value - expected) < 2e-3, `sigma ${sigma}: ${value} where ${expected} should be`);
    });
    await program.dispose();
  }
  await engine.dispose();
});

test('while it rests the generator keeps its bits, and its fake score learns', async () => {
  const settings = distillSettings(changed('generator.rest=7', 'generator.warmup=0', 'iterations=20'));
  assert.deepEqual(
    [1, 7].map((step) => settings(step).generator.learningRate),
    [0, 0],
  );
  assert.ok(settings(8).generator.learningRate > 0.9e-3, 'warm-up and decay count from the end of the rest');
  assert.ok(settings(20).generator.learningRate < 1e-9);
  const root = scratch();
  const small = ['batch=4', 'mixture.width=8', 'checkpoint.every=1', 'checkpoint.keep=9', 'record.samplesEvery=0'];
  const set = [
    ...small,
    'iterations=3',
    'generator.rest=2',
    'generator.warmup=0',
    'generator.decay=none',
    'record.probeEvery=0',
  ];
  const { folder, last } = await runHere({ config: preset, root }, { set });
  assert.equal(last.type, 'ended');
  const parts = (step: number) =>
    Object.entries(stateBytes(folder, step)).filter(([name]) => name.endsWith('.safetensors'));
  const sizes = parts(1).map(([name]) => name);
  assert.ok(sizes.includes('generator.safetensors') && sizes.includes('fake.safetensors'), sizes.join());
  const bits = await Promise.all([1, 2, 3].map((step) => parametersAt(folder, step)));
  assert.deepEqual(bits[0]!.generator, bits[1]!.generator);
  assert.notDeepEqual(bits[1]!.generator, bits[2]!.generator);
  assert.notDeepEqual(bits[0]!.fake, bits[1]!.fake);
});

async function parametersAt(folder: string, step: number) {
  const { loadWeights } = await import('../../backend/weights/load.ts');
  const at = path.join(runPaths(folder).checkpoints, `step-${String(step).padStart(8, '0')}`);
  const read = async (name: string) =>
    (await loadWeights(path.join(at, `${name}.safetensors`))).tensors.get('parameters')!.data;
  return { generator: await read('generator'), fake: await read('fake') };
}

test('a run makes its pairs in its folder and records samples as a picture of the plane', async () => {
  const set = ['iterations=2', 'batch=4', 'mixture.width=8', 'record.samples=20', 'regression.enabled=true'];
  const { folder, last } = await runHere(
    { config: preset, root: scratch() },
    { set: [...set, 'regression.pairs.count=10'] },
  );
  assert.equal(last.type, 'ended');
  assert.ok(fs.existsSync(path.join(folder, 'pairs', 'pairs.json')));
  const png = fs.readFileSync(path.join(runPaths(folder).samples, 'step-00000002.png'));
  const { shape, data } = decodePng(png);
  assert.equal(shape[0], 3);
  assert.ok(shape[1]! >= 200 && shape[2]! >= 200, `a picture to look at: ${shape}`);
  assert.ok(
    data.some((value) => value < 0),
    'with something on it',
  );
});

test('the picture shows every point near the modes where it is', () => {
  const mixture = {
    modes: [
      [0, 0],
      [between(1, 3), 0],
    ],
    std: 0.1,
  };
  const start = { centre: [0, between(1, 2)], std: 0.05 };
  const frame = frameOf(mixture, start);
  for (const [x, y] of [...mixture.modes, start.centre] as [number, number][]) {
    assert.ok(x > frame.left && x < frame.left + frame.width && y < frame.top && y > frame.top - frame.height);
  }
  const at = { shape: [1, 2], data: Float32Array.from(mixture.modes[1]!) };
  const { shape, data } = scatter(at, mixture, start);
  const [, , height, width] = shape as [number, number, number, number];
  const scale = width / frame.width;
  const column = Math.floor((at.data[0]! - frame.left) * scale);
  const row = Math.floor((frame.top - at.data[1]!) * scale);
  const red = (r: number, c: number) => data[r * width + c]!;
  assert.ok(red(row, column) < 0.6 && red(row, column + 5) > 0.9, 'a dot at the mode, none beside it');
  assert.equal(data.length, 3 * height * width);
});

test('pairs held in memory are the pairs on the disk', async () => {
  const folder = path.join(scratch(), 'pairs');
  const random = stream(uniform(), 'pairs');
  const make = async (indices: readonly number[]) => {
    const of = () => ({ shape: [indices.length, 2, 1, 1], data: random.randn(2 * indices.length) });
    return { z: of(), y: of(), labels: { shape: [indices.length, 0], data: new Float32Array() } };
  };
  const options = { count: 11, shardSize: 4, batchSize: 3, seed: 1, shape: [2, 1, 1], labelDim: 0, config: {} };
  await writePairs(folder, { ...options, make, signal: new AbortController().signal } as never);
  const { openPairs } = await import('../../backend/data/pairs.ts');
  const set = await openPairs(folder);
  const memory = heldInMemory(set, 9);
  for (const indices of [[8, 0, 3, 3], [], [1]])
    assert.deepEqual(await memory.batch(indices), await set.batch(indices));
  assert.equal(heldInMemory(set, 9, 9 * 16 - 1), set, 'a large set stays where it is');
});

test('what does not go with a mixture is named', async () => {
  const problems = (text: string) =>
    configProblems(text)
      .map(({ what }) => what)
      .join('\n');
  assert.match(problems('{"kind":"distill","teacher":"builtin:mixture"}'), /needs the section mixture/);
  assert.match(problems('{"kind":"distill","mixture":{"modes":[[0,0]]}}'), /teacher.*builtin:mixture/s);
  for (const modes of ['[]', '[[0]]', '[[0,1,2]]', '[[1e9,0]]', '"two"']) {
    const text = `{"kind":"distill","teacher":"builtin:mixture","mixture":{"modes":${modes}}}`;
    assert.match(problems(text), /mixture\.modes/, modes);
  }
  const bad = (set: string) => openTeacher(changed(set));
  await assert.rejects(bad('labels=none'), (error) => error instanceof UserError && /^labels/.test(error.message));
  await assert.rejects(bad('text.prompts=x.txt'), /text\.prompts/);
  const distance = ['regression.enabled=true', 'regression.lpipsWeights=x', 'regression.distance=lpips'];
  await assert.rejects(openTeacher(changed(...distance)), /channels/);
  const found = await dmdFindings(changed('labels=none'), loadTeacher);
  assert.deepEqual(
    found.map(({ key }) => key),
    ['labels'],
  );
  assert.deepEqual(await dmdFindings(preset, loadTeacher), []);
  const pairs = changed('regression.enabled=true', 'regression.pairs.path=/nowhere');
  assert.deepEqual(
    (await dmdFindings(pairs, loadTeacher)).map(({ key }) => key),
    ['regression.pairs.path'],
  );
  assert.throws(() => checkChanges(preset, changed('mixture.std=0.2')), /mixture cannot change/);
});

test('the three cases are presets that differ in their losses alone', () => {
  const values = ['figure-3-real-only', 'figure-3', 'figure-3-regression'].map((name) => {
    const {
      matching,
      regression,
      name: own,
      ...rest
    } = parseConfig(presetText('distill', name), name) as DistillConfig;
    assert.equal(own, name);
    return { losses: [matching.realOnly, regression.enabled], rest };
  });
  assert.deepEqual(
    values.map(({ losses }) => losses),
    [
      [true, false],
      [false, false],
      [false, true],
    ],
  );
  assert.deepEqual(values[0]!.rest, values[1]!.rest);
  assert.deepEqual(values[2]!.rest, values[1]!.rest);
});
