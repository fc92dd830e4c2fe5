/** Text-to-image models as ONNX folders: they run on their own, give the model's pixels, and are there whole or not at all. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openOnnxFile } from '../../backend/engine/onnxruntime/run-file.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { exportTextModel, type TextExportRequest } from '../../backend/export/text/export-text.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { createAutoencoderTiny } from '../../backend/nets/stable-diffusion/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import type { TextRequest } from '../../backend/sampling/text/text-request.ts';
import { writeComponent } from '../../backend/weights/diffusers/index.ts';
import { readOnnxMetadata } from '../../backend/weights/onnx-metadata.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const tiny = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const scratch = scratchFolder();
const cpu = await openDevice('cpu', 1);
after(() => cpu.dispose());
const parts = ['text_encoder', 'unet', 'vae_decoder'] as const;

async function draw(folder: string, request: Partial<TextRequest> = {}): Promise<TensorData> {
  const pipeline = TextPipeline.open(folder, { engine: cpu, threads: 1 });
  try {
    return (await pipeline.draw({ prompt: 'the red cat', seeds: [4], ...request })).images;
  } finally {
    await pipeline.dispose();
  }
}

async function sameImages(folders: readonly [string, string], request: Partial<TextRequest> = {}): Promise<void> {
  const [expected, actual] = [await draw(folders[0], request), await draw(folders[1], request)];
  assert.deepEqual(actual.shape, expected.shape);
  const largest = Math.max(...expected.data.map(Math.abs));
  assert.ok(largest > 0.1, 'there is something to see');
  expected.data.forEach((value, i) => {
    assert.ok(Math.abs(value - actual.data[i]!) <= 1e-4 * largest, `${i}: ${value} and ${actual.data[i]}`);
  });
}

const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;
/** Names in the folder above, where leftovers would be. */
const beside = () => readdirSync(scratch.path()).sort();

const student = () => scratch.path('student');
mkdirSync(join(student(), 'unet'), { recursive: true });
for (const file of readdirSync(join(tiny, 'unet'))) cpSync(join(tiny, 'unet', file), join(student(), 'unet', file));
writeFileSync(join(student(), 'dmd.json'), JSON.stringify({ base: tiny, timestep: 800 }));

test("a teacher's folder draws the same with guidance and without, however many images", async () => {
  const target = scratch.path('teacher-onnx');
  const stages: string[] = [];
  const onStage = (stage: string, done: number, total: number) => stages.push(`${done}/${total} ${stage}`);
  const done = await exportTextModel({ model: tiny, target, onStage });
  assert.ok(done.ok && done.largestError < 1e-4 && done.largest > 0.1);
  assert.deepEqual(stages, [
    '0/5 running the model',
    ...parts.map((part, i) => `${i + 1}/5 writing ${part}`),
    '4/5 running the export',
  ]);
  const listed = ['model_index.json', 'scheduler', 'text_encoder', 'tokenizer', 'unet', 'vae_decoder'];
  assert.deepEqual(readdirSync(target).sort(), listed);
  for (const part of parts) assert.deepEqual(readdirSync(join(target, part)), ['config.json', 'model.onnx']);
  assert.equal(
    readFileSync(join(target, 'unet', 'config.json'), 'utf8'),
    readFileSync(join(tiny, 'unet/config.json'), 'utf8'),
  );
  await sameImages([tiny, target], { steps: 3, guidance: 5, negativePrompt: 'a blue cat' });
  await sameImages([tiny, target], { steps: 2, guidance: 5, seeds: [1, 2, 3] });
  await sameImages([tiny, target], { steps: 2, guidance: 1 });
});

test("inputs and outputs have Optimum's names and types, and the index says so", async () => {
  const target = scratch.path('teacher-onnx');
  const inputs = async (part: string) => {
    const file = await openOnnxFile(join(target, part, 'model.onnx'));
    await file.close();
    return Object.fromEntries(file.inputs);
  };
  assert.deepEqual(await inputs('text_encoder'), { input_ids: [1, 16] });
  assert.deepEqual(await inputs('unet'), { sample: [2, 4, 8, 8], timestep: [1], encoder_hidden_states: [2, 16, 16] });
  assert.deepEqual(await inputs('vae_decoder'), { latent_sample: [1, 4, 8, 8] });
  const text = readFileSync(join(target, 'text_encoder', 'model.onnx'));
  assert.equal(text.readUInt16BE(text.lastIndexOf('input_ids') + 'input_ids'.length + 4), 0x0806, 'elem_type int32');
  const index = readJson(target, 'model_index.json');
  assert.deepEqual(index.unet, ['optimum.onnxruntime.modeling_diffusion', 'ORTUnet']);
  assert.deepEqual(index.scheduler, ['diffusers', 'PNDMScheduler']);
  assert.equal(index.vae, undefined);
  assert.match((await readOnnxMetadata(join(target, 'unet', 'model.onnx')))['dmd.sha256']!, /^[0-9a-f]{64}$/);
});

test('a student with a base becomes a folder that needs none', async () => {
  const target = scratch.path('student-onnx');
  const done = await exportTextModel({ model: student(), target, batch: 2 });
  assert.equal(done.ok, true);
  assert.match(done.files.unet, /^sample \[2, 4, 8, 8\], .* -> out_sample \[2, 4, 8, 8\]$/, 'no rows for guidance');
  assert.deepEqual(readJson(target, 'dmd.json'), { role: 'generator', timestep: 800, prediction: 'epsilon' });
  await sameImages([student(), target]);
  await sameImages([student(), target], { seeds: [5, 6, 7] });
});

test('large weights lie in a file beside the network', async () => {
  const target = scratch.path('large-onnx');
  const done = await exportTextModel({ model: tiny, target, largestFile: 200_000 });
  assert.deepEqual(readdirSync(join(target, 'unet')), ['config.json', 'model.onnx', 'model.onnx_data']);
  assert.deepEqual(readdirSync(join(target, 'text_encoder')), ['config.json', 'model.onnx'], 'a small one does not');
  assert.ok(done.ok && done.bytes > 1e6);
  await sameImages([tiny, target], { steps: 2, guidance: 5 });
});

test('another size is fixed in the files and is what the folder draws; yet another is refused', async () => {
  const target = scratch.path('wide-onnx');
  const done = await exportTextModel({ model: student(), target, size: [16, 24] });
  assert.match(done.files.vae_decoder, /latent_sample \[1, 4, 8, 12\] -> sample \[1, 3, 16, 24\]/);
  assert.deepEqual(readJson(target, 'unet', 'config.json').sample_size, [8, 12]);
  assert.deepEqual((await draw(target)).shape, [1, 3, 16, 24]);
  await assert.rejects(draw(target, { size: [16, 16] }), refusal(/takes 'sample' as \[1, 4, 8, 12\] only/, 'usage'));
  const odd = exportTextModel({ model: student(), target: scratch.path('odd'), size: [16, 18] });
  await assert.rejects(odd, refusal(/no pictures of 16 x 18/, 'usage'));
});

test("a tiny autoencoder's decoder is exported and read as one", async () => {
  const model = scratch.path('taesd');
  cpSync(tiny, model, { recursive: true });
  rmSync(join(model, 'vae'), { recursive: true });
  const config = {
    ...{ encoder_block_out_channels: [8, 8], decoder_block_out_channels: [8, 8] },
    ...{ num_encoder_blocks: [1, 1], num_decoder_blocks: [1, 1] },
  };
  const tensors = createAutoencoderTiny(config).layout.entries.map(({ name, shape }) => {
    const data = stream(1, name).randn(shape.reduce((a, b) => a * b, 1));
    return [name, { shape, data: data.map((value) => value / 4) }] as const;
  });
  await writeComponent(model, 'vae', { className: 'AutoencoderTiny', config, tensors: new Map(tensors) });
  const index = readJson(model, 'model_index.json');
  writeFileSync(join(model, 'model_index.json'), JSON.stringify({ ...index, vae: ['diffusers', 'AutoencoderTiny'] }));
  const target = scratch.path('taesd-onnx');
  assert.equal((await exportTextModel({ model, target })).ok, true);
  assert.equal(readJson(target, 'vae_decoder', 'config.json').scaling_factor, 1, 'the default is spelt out');
  await sameImages([model, target], { steps: 1, guidance: 3 });
});

test('nothing is left of an export that computes other pixels, that is stopped, or that fails', async () => {
  const before = beside();
  const target = scratch.path('never');
  const during = (at: string, act: () => void): TextExportRequest => ({
    ...{ model: tiny, target, largestFile: 1000 },
    onStage: (stage) => stage === at && act(),
  });
  const staged = () => scratch.path(readdirSync(scratch.path()).find((name) => name.startsWith('.never.'))!);

  const other = await exportTextModel(
    during('running the export', () => {
      const file = join(staged(), 'unet', 'model.onnx_data');
      const bytes = readFileSync(file);
      for (let at = 0; at < bytes.length; at += 4) bytes.writeFloatLE(1.5 * bytes.readFloatLE(at), at);
      writeFileSync(file, bytes);
    }),
  );
  assert.ok(!other.ok && other.largestError > other.tolerance * other.largest);
  assert.deepEqual(beside(), before);

  const controller = new AbortController();
  const stopped = exportTextModel({ ...during('writing unet', () => controller.abort()), signal: controller.signal });
  await assert.rejects(stopped, (error) => refusal(/stopped; nothing was written/, 'cancelled')(withHint(error)));
  assert.deepEqual(beside(), before);

  const broken = exportTextModel(during('running the export', () => rmSync(join(staged(), 'unet', 'model.onnx'))));
  await assert.rejects(broken, refusal(/never.*unet/));
  assert.deepEqual(beside(), before);
  await assert.rejects(exportTextModel({ model: tiny, target: scratch.path('no/such') }), refusal(/no.such/, 'io'));
});

/** That something was stopped says it all. */
function withHint(error: unknown): unknown {
  return error instanceof Error ? Object.assign(error, { hint: 'none' }) : error;
}

test('an earlier export is replaced; whatever else is in the way stays', async () => {
  const target = scratch.path('again-onnx');
  await exportTextModel({ model: student(), target, largestFile: 1000 });
  await exportTextModel({ model: tiny, target });
  assert.deepEqual(readdirSync(join(target, 'unet')), ['config.json', 'model.onnx'], 'nothing of the first is left');
  assert.equal(existsSync(join(target, 'dmd.json')), false);

  const refused = async (words: RegExp, folder = target) => {
    const before = readdirSync(folder, { recursive: true });
    await assert.rejects(exportTextModel({ model: tiny, target: folder }), refusal(words, 'io'));
    assert.deepEqual(readdirSync(folder, { recursive: true }), before);
  };
  writeFileSync(join(target, 'notes.txt'), 'mine');
  await refused(/again-onnx is not empty: it holds notes\.txt/);
  rmSync(join(target, 'notes.txt'));
  cpSync(join(tiny, 'unet', 'diffusion_pytorch_model.safetensors'), join(target, 'unet', 'model.onnx'));
  await refused(/again-onnx is not empty: it is no export of this program/);
  cpSync(tiny, scratch.path('model'), { recursive: true });
  await refused(/model is not empty: it holds vae/, scratch.path('model'));
  const file = await scratch.write('a-file', 'mine');
  await assert.rejects(exportTextModel({ model: tiny, target: file }), refusal(/a-file is a file/, 'io'));
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  const itself = exportTextModel({ model: scratch.path('teacher-onnx'), target: scratch.path('twice') });
  await assert.rejects(itself, refusal(/teacher-onnx is a folder of ONNX files already/, 'usage'));
});

test("an index as Optimum's exporter leaves it, without a word of the decoder, is read too", async () => {
  const folder = scratch.path('as-optimum');
  cpSync(scratch.path('teacher-onnx'), folder, { recursive: true });
  const index = readJson(tiny, 'model_index.json');
  writeFileSync(join(folder, 'model_index.json'), JSON.stringify(index));
  await sameImages([tiny, folder], { steps: 1, guidance: 4 });
});
