/** `dmd sample`, `dmd export` and `dmd pairs` on a small network with random weights. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { exportCommand } from '../../backend/cli/export/export.ts';
import type { Output } from '../../backend/cli/output.ts';
import { type SampleOptions, sampleCommand } from '../../backend/cli/sample/sample.ts';
import { decodePng } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { runOnnxFile } from '../../backend/engine/onnxruntime/run-file.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { openModel } from '../../backend/models/model-file.ts';
import { writeModel } from '../../backend/models/write-model.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { readPictureSettings } from '../../backend/sampling/picture-text.ts';
import { SeededSource } from '../../backend/sampling/seeded-images.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-models-'));
after(() => rmSync(folder, { recursive: true }));

const network = createNetwork({
  img_resolution: 8,
  img_channels: 3,
  label_dim: 3,
  model_type: 'SongUNet',
  model_channels: 8,
  channel_mult: [1, 2],
  num_blocks: 1,
  attn_resolutions: [4],
});
const random = new TorchGenerator(3);
const flat = initialParameters(network.layout, random).map((value) => value + 0.1 * random.randn(1)[0]);
const weights = unpackParameters(network.layout, flat);
const models = { generator: join(folder, 'generator.safetensors'), teacher: join(folder, 'teacher.safetensors') };
for (const [role, file] of Object.entries(models)) {
  await writeModel(file, network.config, weights, { 'dmd.role': role, 'dmd.generatorSigma': '20' }, false);
}

function recorder(): { output: Output; events: Record<string, unknown>[] } {
  const events: Record<string, unknown>[] = [];
  return {
    events,
    output: { json: false, line: () => {}, event: (event, fields) => events.push({ event, ...fields }) },
  };
}

const defaults: Omit<SampleOptions, 'seeds' | 'out'> = {
  sampler: 'edm',
  with: {},
  batch: 4,
  device: 'cpu',
  threads: 1,
};

async function sample(model: string, options: Partial<SampleOptions> & Pick<SampleOptions, 'seeds' | 'out'>) {
  const { output, events } = recorder();
  await sampleCommand(model, { ...defaults, ...options, out: join(folder, options.out) }, output);
  return events.at(-1)!;
}

const picture = (out: string, name: string) => readFileSync(join(folder, out, name));

test("a seed's picture is its own: its noise and class, whatever stands beside it", async () => {
  const event = await sample(models.generator, { seeds: [5, 0, 1, 7, 6], out: 'all' });
  assert.deepEqual(readdirSync(join(folder, 'all')).sort(), [
    'grid.png',
    ...[0, 1, 5, 6, 7].map((seed) => `seed00000${seed}.png`),
  ]);
  const expected = [5, 0, 1, 7, 6].map((seed) => {
    const torch = new TorchGenerator(seed);
    torch.randn(3 * 8 * 8);
    return torch.randint(0, 3, 1)[0];
  });
  assert.deepEqual(event.classes, expected);
  await sample(models.generator, { seeds: [6], out: 'alone', batch: 4 });
  const [together, alone] = ['all', 'alone'].map((out) => decodePng(picture(out, 'seed000006.png')).data);
  together.forEach((value, i) => {
    assert.ok(Math.abs(value - alone[i]) <= 1.01 / 127.5);
  });
  assert.notDeepEqual(picture('all', 'seed000000.png'), picture('all', 'seed000001.png'));
  await sample(models.generator, { seeds: [5, 0, 1, 7, 6], out: 'again' });
  assert.deepEqual(picture('again', 'grid.png'), picture('all', 'grid.png'));
});

test('a picture says which model, seed, class and sampler made it', async () => {
  const out = 'labelled';
  await sample(models.teacher, { seeds: [2, 3, 4], class: [1, 2], steps: 3, with: { S_churn: 2 }, out });
  const text = readPngText(picture('labelled', 'seed000004.png'));
  assert.equal(text['dmd.seed'], '4');
  assert.equal(text['dmd.class'], '1');
  assert.equal(text['dmd.steps'], '3');
  assert.equal(text['dmd.role'], 'teacher');
  assert.deepEqual(JSON.parse(text['dmd.sampler']), { name: 'edm', S_churn: 2 });
  assert.equal(text['dmd.sha256'], (await openModel(models.teacher)).sha256);
  assert.equal(readPngText(picture('labelled', 'grid.png'))['dmd.classes'], '1,2,1');
});

test('of several sets of weights the average is drawn; which it was is said, with the others, and --key draws those', async () => {
  const file = join(folder, 'sets.safetensors');
  const negative = Array.from(weights, ([name, { shape, data }]) => [
    `model.${name}`,
    { shape, data: data.map((value) => -value) },
  ]) as [string, TensorData][];
  const average = Array.from(weights, ([name, value]) => [`model_ema.${name}`, value]) as [string, TensorData][];
  const { metadata } = await readSafetensors(models.generator);
  await writeSafetensors(file, new Map([...negative, ...average]), { metadata });
  const drawn = async (out: string, key?: string) => {
    const lines: string[] = [];
    const output = { ...recorder().output, line: (text = '') => lines.push(text) };
    await sampleCommand(file, { ...defaults, seeds: [1], out: join(folder, out), ...(key && { key }) }, output);
    return { said: lines[0], data: decodePng(picture(out, 'seed000001.png')).data };
  };
  await sample(models.generator, { seeds: [1], out: 'one-set' });
  const [taken, other] = [await drawn('averaged'), await drawn('raw', 'model')];
  assert.equal(taken.said, `weights under 'model_ema' (there too: model) of ${file}; --key chooses`);
  assert.equal(other.said, `weights under 'model' (there too: model_ema) of ${file}; --key chooses`);
  assert.deepEqual(taken.data, decodePng(picture('one-set', 'seed000001.png')).data);
  assert.notDeepEqual(other.data, taken.data);
});

test('the editor makes a picture of the command line again, by the model that made it', async () => {
  const settingsOf = (out: string, name: string) => readPictureSettings(picture(out, name))?.settings;
  await sample(models.teacher, { seeds: [2, 3, 4], class: [1, 2], steps: 3, out: 'again' });
  const common = { prompt: null, steps: 3, device: 'auto' };
  assert.deepEqual(settingsOf('again', 'seed000003.png'), {
    model: models.teacher,
    seeds: [3],
    classes: [2],
    ...common,
  });
  await sample(relative(process.cwd(), models.generator), { seeds: [5], out: 'open' });
  const open = { model: models.generator, seeds: [5], classes: null, ...common, steps: 1 };
  assert.deepEqual(settingsOf('open', 'seed000005.png'), open);
  // What the editor has no option for is no setting.
  await sample(models.teacher, { seeds: [2], steps: 2, with: { S_churn: 2 }, out: 'churned' });
  await sample(models.teacher, { seeds: [2], steps: 2, sampler: 'ablation', out: 'ablation' });
  for (const out of ['churned', 'ablation']) assert.equal(settingsOf(out, 'seed000002.png'), undefined);
  assert.equal(settingsOf('again', 'grid.png'), undefined);
});

test('a class the network does not have and an unknown sampler option are named', async () => {
  const rejects = (options: Partial<SampleOptions>, wanted: string) =>
    assert.rejects(sample(models.teacher, { seeds: [0], out: 'bad', ...options }), (error) => {
      return error instanceof UserError && error.message.includes(wanted);
    });
  await rejects({ class: [3] }, 'class 3');
  await rejects({ with: { S_chrun: 1 } }, 'S_chrun');
  await rejects({ sampler: 'ablation', with: { solver: 'rk4' } }, 'solver');
});

test('an exported generator, run on its own, gives the pixels that sampling gives', async () => {
  const file = join(folder, 'generator.onnx');
  const { output, events } = recorder();
  assert.equal(await exportCommand(models.generator, { out: file, batch: 2 }, output), 0);
  assert.equal(events[0].inputs, 'z [2, 3, 8, 8], labels [2, 3]');
  const z = new Float32Array(2 * 192);
  [9, 11].forEach((seed, i) => {
    z.set(new TorchGenerator(seed).randn(192), i * 192);
  });
  const labels = { shape: [2, 3], data: Float32Array.of(0, 0, 1, 1, 0, 0) };
  const exported = await runOnnxFile(file, { z: { shape: [2, 3, 8, 8], data: z }, labels });
  const engine = await openDevice('cpu', 1);
  const source = await SeededSource.create(engine, network, weights, 2);
  const request = { seeds: [9, 11], classes: [2, 0], steps: 1, sigma: 20, sampler: 'edm', samplerOptions: {} } as const;
  const { images } = await source.draw(request);
  await engine.dispose();
  const largest = Math.max(...images.data.map(Math.abs));
  exported.get('image')!.data.forEach((value, i) => {
    assert.ok(Math.abs(value - images.data[i]) <= 1e-5 * largest, `${value} where ${images.data[i]}`);
  });
});

test('an exported teacher is a denoiser with its own inputs', async () => {
  const file = join(folder, 'teacher.onnx');
  const { output, events } = recorder();
  assert.equal(await exportCommand(models.teacher, { out: file, batch: 1 }, output), 0);
  assert.equal(events[0].inputs, 'x [1, 3, 8, 8], sigma [1], labels [1, 3]');
  const noSuchFolder = join(folder, 'no', 'such', 'x.onnx');
  const isIo = (error: unknown) => error instanceof UserError && error.kind === 'io';
  await assert.rejects(exportCommand(models.teacher, { out: noSuchFolder, batch: 1 }, output), isIo);
  const halves = { out: join(folder, 'half.onnx'), batch: 1, half: true };
  await assert.rejects(exportCommand(models.teacher, halves, output), /--half is for a model file/);
});
