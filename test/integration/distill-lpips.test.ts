/** Distilling with LPIPS as the distance of the regression, or of consistency, from the config to the recorded curve, at the paper's 224 pixels. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { openPairs } from '../../backend/data/pairs.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { constantParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { createNetwork, lpips } from '../../backend/nets/index.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { readFields } from '../../backend/runs/fields/fields.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { DenoiseProgram } from '../../backend/sampling/denoise-program.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { writeSafetensors } from '../../backend/weights/safetensors.ts';
import { recordedLpipsWeights } from '../golden/lpips-weights.ts';
import { curves, distillConfig, labelDim, runHere, scratch, tinyNetwork, tinyTeacher } from '../unit/training/tiny.ts';
import { upsampled } from './upsampled.ts';

const sigma = 80;
const root = scratch();
const weightsFile = path.join(root, 'lpips.safetensors');
const vggFile = path.join(root, 'vgg16.safetensors');
const weights = recordedLpipsWeights();
after(() => fs.rmSync(root, { recursive: true, force: true }));

async function write(file: string, tensors: Iterable<readonly [string, TensorData]>): Promise<void> {
  const stored = [...tensors].map(([name, tensor]) => [name, { ...tensor, dtype: 'F32' as const }] as const);
  await writeSafetensors(file, new Map(stored), { metadata: {} });
}

const isLinear = ([name]: readonly [string, TensorData]) => name.startsWith('lin');
const linear = [...weights].filter(isLinear);

const vgg = [...weights].filter((entry) => !isLinear(entry));
const files = { lpipsWeights: weightsFile, vggWeights: vggFile };
await write(weightsFile, linear);
await write(
  vggFile,
  vgg.map(([name, tensor]) => [name.replace(/^net\.slice\d/, 'features'), tensor]),
);

/** One pair, so that every iteration regresses on the same one. */
const config = (teacher: string, files: { lpipsWeights: string; vggWeights?: string }) =>
  distillConfig(teacher, {
    iterations: 2,
    batch: 1,
    generator: { warmup: 0, sigma },
    regression: { distance: 'lpips', ...files, lambda: 1, pairs: { count: 1, steps: 2 } },
  });

/** LPIPS of what the teacher's weights make of the pair's noise and the pair's image. */
async function expectedDistance(folder: string, teacher: string): Promise<number> {
  const network = createNetwork(tinyNetwork);
  const pairs = await openPairs(path.join(folder, 'pairs'), { shape: [...network.imageShape], labelDim });
  const { z, y, labels } = await pairs.batch([0]);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const { tensors } = await loadWeights(teacher);
    const generator = await DenoiseProgram.create(engine, { network, batch: 1, weights: tensors });
    const noise = z.data.map((value) => value * sigma);
    const image = { shape: y.shape, data: await generator.denoise(noise, sigma, labels) };
    assert.equal(image.data.length, sizeOf(y.shape));
    return await lpipsOf(engine, image, y);
  } finally {
    await engine.dispose();
  }
}

async function lpipsOf(engine: Engine, first: TensorData, second: TensorData): Promise<number> {
  const graph = new Graph();
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, [1, 3, 224, 224]));
  graph.output('distance', lpips(constantParameters(graph, weights), a, b));
  const program = await engine.compile(graph);
  const { distance } = await program.run({ a: upsampled(first, 224), b: upsampled(second, 224) });
  return (await distance.read())[0];
}

test('loss/regression is LPIPS of the generated and the reference image, and training lowers it', async () => {
  const teacher = await tinyTeacher(root);
  const { folder, last } = await runHere({ config: config(teacher, files), root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const [[, first], [, second]] = curves(folder).get('loss/regression')!;
  const expected = await expectedDistance(folder, teacher);
  assert.ok(expected > 1e-3, `nothing to compare: ${expected}`);
  assert.ok(Math.abs(first - expected) <= 1e-4 * expected, `${first} recorded, ${expected} expected`);
  assert.ok(second < first, `${second} after one update, ${first} before`);
});

test('loss/consistency is LPIPS of what generator and target make', async () => {
  const teacher = await tinyTeacher(root, { label_dim: 10 });
  const text = {
    ...{ kind: 'distill', method: 'consistency', name: 'tiny', device: 'cpu', threads: 1, iterations: 1, batch: 1 },
    ...{ teacher, levels: { count: 4 }, loss: { distance: 'lpips', ...files }, checkpoint: { every: 0 } },
    record: { samplesEvery: 0, fieldsEvery: 1, histogramsEvery: 0, healthEvery: 0, probeEvery: 0 },
  };
  const { folder, last } = await runHere({ config: parseConfig(JSON.stringify(text), 'tiny'), root });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  const { tensors } = readFields(runPaths(folder).fields, 'training', 1);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const expected = await lpipsOf(engine, tensors.get('x')!, tensors.get('xTarget')!);
  await engine.dispose();
  const [[, loss]] = curves(folder).get('loss/consistency')!;
  assert.ok(expected > 0 && Math.abs(loss - expected) <= 1e-4 * expected, `${loss} recorded, ${expected} expected`);
});

test('weights that are missing or wrong are refused by file and tensor before the run begins', async () => {
  const teacher = await tinyTeacher(root);
  const refused = async (kind: string, pattern: RegExp, files: Parameters<typeof config>[1], of = teacher) => {
    const { folder, last } = await runHere({ config: config(of, files), root });
    assert.ok(last.type === 'failed', JSON.stringify(last));
    assert.equal(last.error.kind, kind, last.error.stack);
    assert.match(last.error.message, pattern);
    assert.equal(folder, '', 'a run folder was made');
  };
  await refused('weights', /nowhere\.pth: no such file/, { lpipsWeights: path.join(root, 'nowhere.pth') });
  const whole = { lpipsWeights: path.join(root, 'damaged.safetensors') };
  await write(whole.lpipsWeights, linear);
  await refused(
    'weights',
    /damaged\.safetensors: 'net\.slice1\.0\.weight' \(or 'features\.0\.weight'\) is missing/,
    whole,
  );
  await refused('weights', /damaged.*teacher.*features\.0\.weight/, {
    ...whole,
    lpipsWeights: teacher,
    vggWeights: whole.lpipsWeights,
  });
  const [name, tensor] = linear[2];
  await write(whole.lpipsWeights, [...weights, [name, { shape: [1, 128, 2, 1], data: tensor.data }]]);
  await refused('weights', /damaged\.safetensors: 'lin2\.model\.1\.weight' is \[1,128,2,1\]/, whole);
  await write(whole.lpipsWeights, [...weights, [name, { ...tensor, data: tensor.data.slice().fill(Number.NaN, 7) }]]);
  await refused('weights', /damaged\.safetensors: 'lin2\.model\.1\.weight' holds NaN/, whole);
  const grey = await tinyTeacher(root, { img_channels: 1 });
  await refused('config', /regression\.distance: .*three channels.*\[1, 8, 8\]/, whole, grey);
});
