/** `images/...` and `models/...` as the server answers them, on small networks with random weights and the built-in pair. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodePng, encodePng } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { modelPath, openModel } from '../../backend/models/model-file.ts';
import { writeModel } from '../../backend/models/write-model.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import {
  describeModel,
  exportModel,
  type GenerateSettings,
  generateImages,
  listModels,
  readPngSettings,
  releaseModels,
} from '../../backend/protocol/rpc/images.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { createRun } from '../../backend/runs/folder/run-folder.ts';
import { registerImages } from '../../backend/server/images/index.ts';
import { registerModels } from '../../backend/server/models/index.ts';
import { FakeServer } from './server/fake-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-images-'));
const server = new FakeServer();
registerImages(server);
registerModels(server);
after(async () => {
  await server.end();
  rmSync(folder, { recursive: true });
});

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
const random = new TorchGenerator(11);
const flat = initialParameters(network.layout, random).map((value) => value + 0.1 * random.randn(1)[0]);
const weights = unpackParameters(network.layout, flat);
const generator = join(folder, 'generator.safetensors');
const teacher = join(folder, 'teacher.safetensors');
await writeModel(generator, network.config, weights, { 'dmd.role': 'generator', 'dmd.generatorSigma': '20' }, false);
await writeModel(teacher, network.config, weights, { 'dmd.role': 'teacher', 'dmd.generatorSigma': '20' }, false);

const settings = (changes: Partial<GenerateSettings> = {}): GenerateSettings => ({
  ...{ model: generator, seeds: [3], classes: null, prompt: null, steps: 1, device: 'cpu' },
  ...changes,
});
const generate = (changes: Partial<GenerateSettings> = {}, metadata = true, signal?: AbortSignal) =>
  server.ask(generateImages, { id: 'g', settings: settings(changes), metadata }, signal);
const isUserError =
  (kind: string, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.kind, kind);
    for (const word of words) assert.ok(`${error.message} ${error.hint}`.includes(word), `${error.message}: ${word}`);
    return true;
  };

test('a picture carries what made it, and can be made again from it', async () => {
  const { images, width, height, device, modelSha256 } = await generate({ seeds: [5, 9], classes: [2, 1] });
  assert.deepEqual([width, height, device], [8, 8, 'cpu']);
  assert.deepEqual(
    images.map(({ seed, class: id }) => [seed, id]),
    [
      [5, 2],
      [9, 1],
    ],
  );
  const text = readPngText(images[1].png);
  assert.match(text.Software, /^DMD Workbench \d+\.\d+\.\d+$/);
  assert.equal(text['dmd.sha256'], (await openModel(generator)).sha256);
  assert.equal(modelSha256, text['dmd.sha256']);
  assert.equal(text['dmd.sigma'], '20');
  assert.equal(text['dmd.role'], 'generator');
  const read = await server.ask(readPngSettings, { png: images[1].png });
  assert.deepEqual(read?.settings, settings({ seeds: [9], classes: [1] }));
  const again = await generate({ seeds: [9], classes: [1] });
  const [first, second] = [images[1], again.images[0]].map(({ png }) => decodePng(png).data);
  // Another number of images per call may round the last bit the other way.
  first.forEach((value, i) => {
    assert.ok(Math.abs(value - second[i]) <= 1.01 / 127.5);
  });
});

test('a class left open is drawn from the seed, as the sampler draws it, and the settings stay open', async () => {
  const { images } = await generate({ seeds: [7, 8, 9] });
  const drawn = [7, 8, 9].map((seed) => {
    const torch = new TorchGenerator(seed);
    torch.randn(3 * 8 * 8);
    return torch.randint(0, 3, 1)[0];
  });
  assert.deepEqual(
    images.map((image) => image.class),
    drawn,
  );
  const read = await server.ask(readPngSettings, { png: images[2].png });
  assert.deepEqual(read?.settings, settings({ seeds: [9] }));
  assert.equal(read?.text['dmd.class'], String(drawn[2]));
});

test('without metadata a picture is only a picture', async () => {
  const { images } = await generate({}, false);
  assert.deepEqual(readPngText(images[0].png), {});
  assert.equal(await server.ask(readPngSettings, { png: images[0].png }), null);
});

test('a request is refused by name: prompt, class, path, file, device', async () => {
  await assert.rejects(generate({ prompt: 'a red disc' }), isUserError('usage', 'no prompt', generator));
  await assert.rejects(generate({ classes: [3] }), isUserError('usage', 'no class 3', '0 to 2'));
  await assert.rejects(generate({ seeds: [1, 2, 3], classes: [0, 1] }), isUserError('usage', '2 classes for 3 seeds'));
  await assert.rejects(generate({ model: 'x/y.safetensors' }), isUserError('usage', 'x/y.safetensors'));
  await assert.rejects(generate({ model: join(folder, 'gone') }), isUserError('weights', join(folder, 'gone')));
  await assert.rejects(generate({ model: 'builtin:nothing' }), isUserError('weights', 'nothing'));
  await assert.rejects(generate({ device: 'abacus' }), isUserError('usage', 'abacus'));
  const page = join(folder, 'page.safetensors');
  writeFileSync(page, '<!doctype html><html>not found</html>');
  await assert.rejects(generate({ model: page }), isUserError('weights', page, 'web page'));
  assert.equal((await generate({ prompt: '  ' })).images.length, 1, 'an empty prompt is none');
});

test('a second request waits its turn; both can be cancelled, before their turn and between two steps', async () => {
  const stepping = new AbortController();
  const waiting = new AbortController();
  const said = new Map<string, () => void>();
  server.onSaid = ({ params }) => {
    const { id, label, done } = params as { id: string; label: string; done: number };
    if (label === 'waiting' || done > 0) said.get(`${id} ${label}`)?.();
  };
  const untilSaid = (what: string) => new Promise<void>((resolve) => said.set(what, resolve));
  // Long enough not to be over by itself, however slowly its news are heard.
  const long = settings({ model: teacher, seeds: Array.from({ length: 256 }, (_, i) => i), steps: 1000 });
  const steps = untilSaid('first sampling');
  const first = server.ask(generateImages, { id: 'first', settings: long, metadata: true }, stepping.signal);
  await Promise.race([steps, first]);
  const waits = untilSaid('second waiting');
  const second = server.ask(generateImages, { id: 'second', settings: settings(), metadata: true }, waiting.signal);
  const third = generate({ seeds: [1] });
  await Promise.race([waits, second]);
  stepping.abort();
  waiting.abort();
  await assert.rejects(first, isUserError('cancelled'));
  await assert.rejects(second, isUserError('cancelled'));
  assert.equal((await third).images.length, 1, 'the next in the queue has its turn');
  server.onSaid = () => {};
});

test('a model stays ready until it is released, and a changed file is read again', async () => {
  const file = join(folder, 'changing.safetensors');
  copyFileSync(generator, file);
  assert.ok((await generate({ model: file })).startupMilliseconds > 0);
  const warm = await generate({ model: file });
  assert.equal(warm.startupMilliseconds, 0);
  await server.ask(releaseModels, {});
  assert.ok((await generate({ model: file })).startupMilliseconds > 0, 'released');
  const other = unpackParameters(
    network.layout,
    flat.map((value) => value * 1.1),
  );
  await writeModel(file, network.config, other, { 'dmd.role': 'generator', 'dmd.generatorSigma': '20' }, false);
  const changed = await generate({ model: file });
  assert.notEqual(changed.modelSha256, warm.modelSha256);
  assert.notDeepEqual(decodePng(changed.images[0].png).data, decodePng(warm.images[0].png).data);
});

test('an exported generator makes the same pictures; another ONNX file is named', async () => {
  const file = join(folder, 'exported.onnx');
  const done = await server.ask(exportModel, { id: 'e', model: generator, file });
  assert.deepEqual(done, { file, bytes: statSync(file).size });
  const info = await server.ask(describeModel, { model: file });
  assert.deepEqual(
    [info.role, info.imageShape, info.classes, info.problem],
    ['generator', [3, 8, 8], ['0', '1', '2'], ''],
  );
  const [own, exported] = [await generate({ seeds: [1, 2] }), await generate({ model: file, seeds: [1, 2] })];
  own.images.forEach(({ png, class: id }, i) => {
    assert.equal(exported.images[i].class, id);
    const pixels = decodePng(exported.images[i].png).data;
    decodePng(png).data.forEach((value, k) => {
      assert.ok(Math.abs(value - pixels[k]) <= 1.01 / 127.5);
    });
  });
  const denoiser = join(folder, 'denoiser.onnx');
  await server.ask(exportModel, { id: 'e', model: teacher, file: denoiser });
  const sampled = await generate({ model: denoiser, seeds: [4], steps: 3 });
  const expected = await generate({ model: teacher, seeds: [4], steps: 3 });
  const pixels = decodePng(expected.images[0].png).data;
  decodePng(sampled.images[0].png).data.forEach((value, k) => {
    assert.ok(Math.abs(value - pixels[k]) <= 1.01 / 127.5);
  });
  const other = join(folder, 'other.onnx');
  writeFileSync(other, Buffer.from([8, 8, 18, 1, 120]));
  assert.match((await server.ask(describeModel, { model: other })).problem, /does not say which network/);
  await assert.rejects(generate({ model: other }), isUserError('weights', other));
  await assert.rejects(
    server.ask(exportModel, { id: 'e', model: generator, file: generator }),
    isUserError('usage', 'itself'),
  );
});

test('models are the built-in pairs, what runs have written, and the files named, each with its problem', async () => {
  const root = join(folder, 'runs');
  mkdirSync(root);
  const config = parseConfig(
    JSON.stringify({ kind: 'distill', teacher: 'builtin:scenes', name: 'mine' }),
    'x.dmd.json',
  );
  const run = createRun(root, config, { version: '0', device: 'cpu', threads: 1 });
  run.close();
  const scenes = await openModel('builtin:scenes');
  const output = join(run.paths.folder, 'generator.safetensors');
  await writeModel(output, scenes.network.config, scenes.weights, { 'dmd.role': 'generator', 'dmd.step': '70' }, true);
  const broken = join(folder, 'broken.safetensors');
  writeFileSync(broken, 'nonsense');
  const files = [teacher, broken, join(folder, 'missing.pkl')];
  const models = await server.ask(listModels, { roots: [root, join(folder, 'no such root')], files });
  assert.deepEqual(
    models.map(({ model, origin, role, problem }) => [model, origin, role, problem === '']),
    [
      ['builtin:scenes', 'builtin', 'generator', true],
      ['builtin:scenes/teacher', 'builtin', 'teacher', true],
      ['builtin:scenes-text', 'builtin', 'generator', true],
      ['builtin:scenes-text/teacher', 'builtin', 'teacher', true],
      [output, 'run', 'generator', true],
      [teacher, 'imported', 'teacher', true],
      [broken, 'imported', 'generator', false],
      [files[2], 'imported', 'generator', false],
    ],
  );
  const [builtin, builtinTeacher, prompted, promptedTeacher, ofRun] = models;
  assert.deepEqual(
    [builtin.teacher, builtinTeacher.teacher, ofRun.teacher],
    Array(3).fill('builtin:scenes/teacher').with(1, null),
  );
  assert.deepEqual([prompted.teacher, promptedTeacher.teacher], ['builtin:scenes-text/teacher', null]);
  assert.ok(prompted.prompt && promptedTeacher.prompt);
  assert.equal(builtin.classes[4], 'star');
  assert.deepEqual(ofRun.classes, builtin.classes, 'a run on the scenes has their names');
  assert.equal(ofRun.run, run.paths.folder);
  assert.match(ofRun.title, /mine, generator of step 70$/);
  const { images } = await generate({ model: output, seeds: [1], classes: [4] });
  const text = readPngText(images[0].png);
  assert.deepEqual(
    [text['dmd.run'], text['dmd.step'], text['dmd.className']],
    [ofRun.title.split(',')[0], '70', 'star'],
  );
});

test('a copy of the built-in generator still knows its classes and its teacher', async () => {
  const copy = join(folder, 'copy.safetensors');
  copyFileSync(modelPath('builtin:scenes'), copy);
  const { classes, teacher: origin } = await server.ask(describeModel, { model: copy });
  assert.equal(classes[0], 'disc');
  assert.equal(origin, 'builtin:scenes/teacher');
});

test('pictures from anywhere are looked at, never trusted', async () => {
  const picture = tensorData([3, 2, 2], new Float32Array(12));
  const read = (text: Record<string, string>) =>
    server.ask(readPngSettings, { png: Uint8Array.from(encodePng(picture, text)) });
  const good = settings();
  assert.deepEqual((await read({ 'dmd.settings': JSON.stringify(good), Comment: 'other' }))?.settings, good);
  assert.equal((await read({ 'dmd.settings': JSON.stringify(good), Comment: 'other' }))?.text.Comment, undefined);
  const hostile: Record<string, string>[] = [
    { 'dmd.settings': '{' },
    { 'dmd.settings': 'null' },
    { 'dmd.settings': JSON.stringify({ ...good, seeds: [2 ** 60] }) },
    { 'dmd.settings': JSON.stringify({ ...good, steps: 1e9 }) },
    { 'dmd.settings': JSON.stringify({ ...good, seeds: Array(5000).fill(0) }) },
    { 'dmd.settings': `{"__proto__": {"model": "x"}}` },
    { 'dmd.settings': JSON.stringify({ ...good, prompt: 'x'.repeat(1 << 17) }) },
    { 'dmd.model': 'x', 'dmd.seed': '1', 'dmd.steps': '1e3' },
    { 'dmd.model': 'x', 'dmd.seed': '18446744073709551616', 'dmd.steps': '1' },
    { 'dmd.model': 'x', 'dmd.seed': '1', 'dmd.steps': '9', 'dmd.sampler': '{"name":"ablation"}' },
  ];
  for (const text of hostile) assert.equal(await read(text), null, JSON.stringify(text).slice(0, 80));
  const fromCommand = await read({
    'dmd.model': 'builtin:scenes',
    'dmd.seed': '7',
    'dmd.class': '4',
    'dmd.steps': '1',
  });
  assert.deepEqual([fromCommand?.settings.seeds, fromCommand?.settings.classes], [[7], [4]]);
  const whole = Uint8Array.from(encodePng(picture, { 'dmd.settings': JSON.stringify(good) }));
  for (let length = 0; length < whole.length; length += 3) {
    await server.ask(readPngSettings, { png: whole.slice(0, length) });
  }
  for (let at = 0; at < whole.length; at++) {
    const damaged = whole.slice();
    damaged[at] ^= 0xff;
    await server.ask(readPngSettings, { png: damaged });
  }
  assert.equal(await server.ask(readPngSettings, { png: new Uint8Array(0) }), null);
  assert.ok(existsSync(generator));
});
