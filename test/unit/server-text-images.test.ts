/** `images/...` and `models/...` with a text-to-image model: the tiny pipeline that diffusers saved, and a student of it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodePng } from '../../backend/data/png.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import {
  describeModel,
  exportModel,
  type GenerateSettings,
  generateImages,
  listModels,
  readPngSettings,
} from '../../backend/protocol/rpc/images.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { registerImages } from '../../backend/server/images/index.ts';
import { registerModels } from '../../backend/server/models/index.ts';
import { FakeServer } from './server/fake-server.ts';

const teacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dmd-text-images-'));
const student = join(folder, 'student');
mkdirSync(student);
cpSync(join(teacher, 'unet'), join(student, 'unet'), { recursive: true });
cpSync(teacher, join(folder, 'teacher'), { recursive: true });
writeFileSync(join(student, 'dmd.json'), JSON.stringify({ base: '../teacher', role: 'generator' }));
const server = new FakeServer();
registerImages(server);
registerModels(server);
after(async () => {
  await server.end();
  rmSync(folder, { recursive: true });
});

const settings = (changes: Partial<GenerateSettings> = {}): GenerateSettings => ({
  ...{ model: student, seeds: [3], classes: null, prompt: 'a red circle', steps: 1, device: 'cpu' },
  ...changes,
});
const generate = (changes: Partial<GenerateSettings> = {}, signal?: AbortSignal) =>
  server.ask(generateImages, { id: 'g', settings: settings(changes), metadata: true }, signal);
const refuses = (changes: Partial<GenerateSettings>, kind: string, words: RegExp) =>
  assert.rejects(
    generate(changes),
    (error) => error instanceof UserError && error.kind === kind && words.test(`${error.message} ${error.hint}`),
  );

test('a folder is told by what it is: steps and guidance of a teacher, one step and the teacher of a student', async () => {
  const [first, second] = await Promise.all(
    [join(folder, 'teacher'), student].map((model) => server.ask(describeModel, { model })),
  );
  assert.deepEqual([first?.problem, first?.prompt, first?.role], ['', true, 'teacher']);
  assert.ok(first && first.steps > 1 && first.guidance !== null && first.guidance > 1);
  assert.deepEqual([second?.problem, second?.role, second?.steps, second?.guidance], ['', 'generator', 1, null]);
  assert.equal(second?.teacher, join(folder, 'teacher'));
  assert.deepEqual(second?.imageShape, first.imageShape);
  assert.deepEqual([first.samplers[0], new Set(first.samplers).size], ['pndm', 6], 'its own first');
  assert.deepEqual(second?.samplers, [], 'one step needs none');
  assert.deepEqual([first.sizeStep, second?.sizeStep], [4, 4]);
  const listed = await server.ask(listModels, { roots: [], files: [student] });
  assert.ok(listed.some(({ model }) => model === student));
  mkdirSync(join(folder, 'mine'));
  writeFileSync(join(folder, 'mine', 'run.json'), '{}');
  cpSync(join(folder, 'teacher'), join(folder, 'mine', 'generator'), { recursive: true });
  const ofRun = await server.ask(describeModel, { model: join(folder, 'mine', 'generator') });
  assert.deepEqual([ofRun.origin, ofRun.run, ofRun.title], ['run', join(folder, 'mine'), 'mine, generator']);
  const broken = await server.ask(describeModel, { model: folder });
  assert.notEqual(broken.problem, '');
});

test('a prompt becomes the pixels that the pipeline draws, and its PNG restores it', async () => {
  const engine = await openDevice('cpu', 1);
  const pipeline = TextPipeline.open(student, { engine });
  const { images } = await pipeline.draw({ prompt: 'a red circle', seeds: [3, 8] });
  await pipeline.dispose();
  await engine.dispose();
  const made = await generate({ seeds: [3, 8] });
  assert.deepEqual([made.width, made.height], [images.shape[3], images.shape[2]]);
  const pixels = images.data.length / 2;
  for (const [i, { png }] of made.images.entries()) {
    const drawn = decodePng(png);
    drawn.data.forEach((value, k) => {
      const wanted = Math.min(1, Math.max(-1, images.data[i * pixels + k]!));
      assert.ok(Math.abs(value - wanted) < 1.1 / 127.5, `pixel ${k} of image ${i}: ${value} against ${wanted}`);
    });
  }
  const restored = await server.ask(readPngSettings, { png: made.images[1]!.png });
  const again = await generate({ ...restored!.settings, device: 'cpu' });
  assert.deepEqual(again.images[0]!.png, made.images[1]!.png);
  assert.equal(restored?.settings.prompt, 'a red circle');
  const other = await generate({ prompt: 'a blue square', seeds: [3] });
  assert.notDeepEqual(other.images[0]!.png, made.images[0]!.png, 'the prompt matters');
});

test('a teacher reports its steps and shows the image so far; guidance and what it is to be unlike matter', async () => {
  server.said.length = 0;
  const model = join(folder, 'teacher');
  const plain = await generate({ model, steps: 4, guidance: 5 });
  const shares = server.said.flatMap(({ method, params }) =>
    method === 'progress' && (params as { label: string }).label === 'sampling'
      ? [(params as { done: number }).done]
      : [],
  );
  assert.ok(shares.length >= 4 && shares.every((done, i) => i === 0 || done >= shares[i - 1]!), `${shares}`);
  assert.equal(shares.at(-1), 1);
  const unlike = await generate({ model, steps: 4, guidance: 5, negative: 'a blue square' });
  const weaker = await generate({ model, steps: 4, guidance: 2 });
  const others = [unlike, weaker].map(({ images }) => Buffer.from(images[0]!.png).toString('base64'));
  assert.equal(new Set([Buffer.from(plain.images[0]!.png).toString('base64'), ...others]).size, 3);
});

test('sampler and size are chosen, and the PNG carries both', async () => {
  const chosen = { model: join(folder, 'teacher'), steps: 2, sampler: 'euler', size: [24, 16] as [number, number] };
  const { images, width, height } = await generate(chosen);
  assert.deepEqual([height, width], chosen.size);
  assert.deepEqual([decodePng(images[0]!.png).shape], [[3, 24, 16]]);
  const restored = await server.ask(readPngSettings, { png: images[0]!.png });
  assert.deepEqual([restored?.settings.sampler, restored?.settings.size], ['euler', [24, 16]]);
  const again = await generate({ ...restored!.settings, device: 'cpu' });
  assert.deepEqual(again.images[0]!.png, images[0]!.png);
  const narrow = await generate({ size: [8, 16] });
  assert.deepEqual([narrow.height, narrow.width], [8, 16], 'a generator of one step has a size too');
  await refuses({ size: [9, 16] }, 'usage', /no pictures of 9 x 16.*multiples of 4/);
  await refuses({ model: 'builtin:scenes', prompt: null, size: [64, 64] }, 'usage', /32 x 32 pixels alone/);
});

test('another decoder makes the pixels, and the PNG restores it', async () => {
  const decoder = fileURLToPath(new URL('../golden/tiny-decoder/model', import.meta.url));
  const [own, tiny] = [await generate(), await generate({ decoder })];
  assert.notDeepEqual(decodePng(tiny.images[0]!.png), decodePng(own.images[0]!.png));
  const { png } = tiny.images[0]!;
  const restored = await server.ask(readPngSettings, { png });
  assert.equal(restored?.settings.decoder, decoder);
  assert.equal(restored?.text['dmd.decoder'], decoder);
  assert.match(restored?.text['dmd.decoderSha256'] ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual((await generate({ ...restored!.settings, device: 'cpu' })).images[0]!.png, png);
  assert.deepEqual((await generate()).images[0]!.png, own.images[0]!.png);
  await refuses({ decoder: join(teacher, 'unet') }, 'weights', /no autoencoder.*AutoencoderTiny/);
  await refuses({ model: 'builtin:scenes', prompt: null, decoder }, 'usage', /no latents to decode/);
});

test('what a text model cannot do is refused by name, and cancelling ends it', async () => {
  await refuses({ classes: [1] }, 'usage', /no classes/);
  await refuses({ model: join(folder, 'teacher'), steps: 3, sampler: 'dreamy' }, 'usage', /no sampler 'dreamy'.*pndm/);
  await refuses({ model: join(folder, 'nowhere') }, 'weights', /nowhere/);
  const cancel = new AbortController();
  const drawing = generate({ model: join(folder, 'teacher'), steps: 300 }, cancel.signal);
  server.onSaid = ({ method, params }) => {
    if (method === 'progress' && (params as { done: number }).done > 0) cancel.abort();
  };
  await assert.rejects(drawing, (error) => error instanceof UserError && error.kind === 'cancelled');
  server.onSaid = () => {};
});

test('what was cut off a long prompt is said, and which words are new to a small vocabulary', async () => {
  const { notes } = await generate({ prompt: `${'a red circle and '.repeat(60)} the end` });
  assert.match(notes.join('\n'), /too long.*cut off: .*red circle/);
  assert.match(notes.join('\n'), /does not know: .*circle/);
  assert.deepEqual((await generate({ prompt: '' })).notes, []);
});

test('an export is a folder that stands on its own, is listed as one, and makes the same pictures', async () => {
  const file = join(folder, 'student-onnx');
  server.said.length = 0;
  const done = await server.ask(exportModel, { id: 'e', model: student, file });
  const stages = server.said.map(({ params }) => params as { id: string; label: string; done: number; total: number });
  assert.ok(stages.every(({ id, total }) => id === 'e' && total === 5));
  assert.deepEqual(
    stages.map(({ label }) => label.split(' ')[0]),
    ['running', 'writing', 'writing', 'writing', 'running'],
  );
  const written = ['text_encoder', 'unet', 'vae_decoder'].map((part) => statSync(join(file, part, 'model.onnx')).size);
  assert.deepEqual(done, { file, bytes: written.reduce((sum, size) => sum + size) });
  const info = await server.ask(describeModel, { model: file });
  const own = await server.ask(describeModel, { model: student });
  assert.deepEqual(info, {
    ...own,
    ...{ model: file, title: 'student-onnx', origin: 'exported', teacher: null },
    bytes: done.bytes,
    sizeStep: null,
  });
  const [expected, actual] = [await generate({ seeds: [3, 8] }), await generate({ model: file, seeds: [3, 8] })];
  expected.images.forEach(({ png }, i) => {
    const { data } = decodePng(actual.images[i]!.png);
    decodePng(png).data.forEach((value, k) => {
      assert.ok(Math.abs(value - data[k]!) <= 1.01 / 127.5);
    });
  });
});

test('an export that is stopped leaves nothing, and one that would be in the way of something is refused', async () => {
  const file = join(folder, 'stopped-onnx');
  const cancel = new AbortController();
  server.onSaid = ({ params }) => {
    if ((params as { label: string }).label === 'writing unet') cancel.abort();
  };
  const stopped = server.ask(exportModel, { id: 'e', model: student, file }, cancel.signal);
  await assert.rejects(stopped, (error) => error instanceof UserError && error.kind === 'cancelled');
  server.onSaid = () => {};
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('stopped')),
    [],
  );
  const teachers = join(folder, 'teacher');
  const index = readFileSync(join(teachers, 'model_index.json'), 'utf8');
  const refused = server.ask(exportModel, { id: 'e', model: student, file: teachers });
  await assert.rejects(refused, (error) => error instanceof UserError && /not empty/.test(error.message));
  assert.equal(readFileSync(join(teachers, 'model_index.json'), 'utf8'), index);
});
