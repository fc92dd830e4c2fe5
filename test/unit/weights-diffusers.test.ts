/** Diffusers folders: what is found in them, whichever way it is stored, and what is refused in which words. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import {
  componentOf,
  configOf,
  isDiffusersFolder,
  modelFile,
  openDiffusersFolder,
  readComponentWeights,
  readNetworkWeights,
  refuseOtherPipelines,
  textToImageClasses,
  writeDiffusersFolder,
} from '../../backend/weights/diffusers/index.ts';
import { encodeSafetensors } from '../../backend/weights/safetensors.ts';
import { expectedOf, unet, writeFakeModel } from './weights/diffusers.ts';
import { dict, float32Bytes, refusal, scratchFolder, tensor, torchZip } from './weights/files.ts';

const scratch = scratchFolder();
let model = '';
let count = 0;
beforeEach(async () => {
  model = scratch.path(`model${count++}`);
  await writeFakeModel(model);
});

const weightsFile = 'diffusion_pytorch_model.safetensors';
const unetFile = (name: string) => join(model, 'unet', name);
const component = (name = 'unet') => componentOf(openDiffusersFolder(model), name, textToImageClasses[name]);
const readUnet = (variant?: string) => readComponentWeights(component(), expectedOf(unet), variant);
const entries = [...unet];

test('a folder comes back as it was written: classes, configurations, weights', async () => {
  const folder = openDiffusersFolder(model);
  assert.equal(folder.pipeline, 'StableDiffusionPipeline');
  assert.deepEqual(folder.components.get('text_encoder'), { library: 'transformers', className: 'CLIPTextModel' });
  assert.equal(folder.components.has('safety_checker'), false);
  assert.deepEqual(configOf(component()), {
    ...{ _class_name: 'UNet2DConditionModel', _diffusers_version: '0.30.0', size: 2 },
  });
  assert.equal(configOf(component('scheduler'), 'scheduler_config.json').num_train_timesteps, 1000);
  assert.deepEqual(await readUnet(), unet);
});

test('a scheduler with an infinity, which diffusers writes as a bare word', () => {
  const file = join(model, 'scheduler', 'scheduler_config.json');
  writeFileSync(file, '{"lambda_min_clipped": -Infinity, "name": "to Infinity \\"Infinity", "_class_name": "A"}');
  const { lambda_min_clipped, name } = configOf(component('scheduler'), 'scheduler_config.json');
  assert.deepEqual([lambda_min_clipped, name], [-Infinity, 'to Infinity "Infinity']);
  writeFileSync(file, '{"lambda_min_clipped": NaN}');
  assert.throws(() => configOf(component('scheduler'), 'scheduler_config.json'), refusal(/is not JSON/));
});

test('float16, a variant that is alone, and a variant that is asked for', async () => {
  await writeFakeModel(model, { half: true });
  assert.deepEqual(await readUnet(), unet);
  renameSync(unetFile(weightsFile), unetFile('diffusion_pytorch_model.fp16.safetensors'));
  assert.deepEqual(await readUnet(), unet);
  writeFileSync(unetFile('diffusion_pytorch_model.non_ema.safetensors'), encodeSafetensors(entries.slice(1)));
  await assert.rejects(readUnet('non_ema'), refusal(/1 missing \(conv_in.weight\)/));
  await assert.rejects(readUnet('bf16'), refusal(/no weights of the variant bf16: it holds config.json/));
});

function writeShards(index: string, names: [string, string]) {
  rmSync(unetFile(weightsFile));
  const map: Record<string, string> = {};
  entries.forEach((entry, i) => {
    map[entry[0]] = names[Math.min(i, 1)]!;
  });
  writeFileSync(unetFile(names[0]), encodeSafetensors(entries.slice(0, 1)));
  writeFileSync(unetFile(names[1]), encodeSafetensors(entries.slice(1)));
  writeFileSync(unetFile(index), JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));
}

const shardNames: [string, string] = ['part-00001-of-00002.safetensors', 'part-00002-of-00002.safetensors'];

test('shards, whichever way their index is called, and one that is missing', async () => {
  writeShards(`${weightsFile}.index.json`, shardNames);
  assert.deepEqual(await readUnet(), unet);
  renameSync(unetFile(`${weightsFile}.index.json`), unetFile(`${weightsFile}.index.fp16.json`));
  assert.deepEqual(await readUnet(), unet);
  rmSync(unetFile(shardNames[1]));
  await assert.rejects(readUnet(), refusal(/unet: 1 of 2 shards are missing \(part-00002-of-00002.safetensors\)/));
});

test('an index may not lead out of the folder, and must name files', async () => {
  writeShards(`${weightsFile}.index.json`, shardNames);
  const index = unetFile(`${weightsFile}.index.json`);
  for (const outside of ['../../../etc/passwd', '../..', 'a\0b']) {
    writeFileSync(index, JSON.stringify({ weight_map: { x: outside } }));
    await assert.rejects(readUnet(), refusal(/leads out of the model folder/));
  }
  writeFileSync(index, JSON.stringify({ weight_map: { x: '/etc/passwd' } }));
  await assert.rejects(readUnet(), refusal(/1 of 1 shards are missing/)); // looked for in unet/, not at the root
  for (const bad of ['{}', '{"weight_map": {}}', '{"weight_map": {"x": 1}}']) {
    writeFileSync(index, bad);
    await assert.rejects(readUnet(), refusal(/names no files/));
  }
});

test('a PyTorch file, with the names that training programs and old versions give', async () => {
  rmSync(unetFile(weightsFile));
  const storages: Record<string, Uint8Array> = {};
  const described: Record<string, string> = {};
  entries.forEach(([name, { shape, data }], key) => {
    storages[String(key)] = float32Bytes([...data]);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const old = name.replace('to_q', 'query');
    described[`module.${old}`] = tensor({ key: String(key), count: data.length, shape, strides });
  });
  writeFileSync(unetFile('diffusion_pytorch_model.bin'), torchZip(dict(described), storages));
  assert.deepEqual(await readUnet(), unet);
});

test('text encoders with and without the prefix that transformers once wrote, and with a buffer nobody needs', async () => {
  const prefixed = entries.map(([name, value]) => [`text_model.${name}`, value] as const);
  const ids = { shape: [2], data: Float32Array.of(0, 1) };
  const file = await scratch.write(
    'old',
    encodeSafetensors([...prefixed, ['text_model.embeddings.position_ids', ids]]),
  );
  assert.deepEqual(await readNetworkWeights([file], expectedOf(unet), 'old'), unet);
  const plain = await scratch.write('new', encodeSafetensors(entries));
  const expected = new Map(prefixed.map(([name, { shape }]) => [name, shape]));
  assert.deepEqual(await readNetworkWeights([plain], expected, 'new'), new Map(prefixed));
});

test('what does not fit the network is counted, and the first names are given', async () => {
  const odd = [...entries.slice(0, 1), ['conv_in.bias', unet.get('conv_in.weight')!] as const];
  const extra = ['a', 'b', 'c', 'd'].map((name) => [name, unet.get('conv_in.bias')!] as const);
  writeFileSync(unetFile(weightsFile), encodeSafetensors([...odd, ...extra]));
  await assert.rejects(readUnet(), (error) =>
    refusal(
      /unet: .*1 missing \(mid.to_q.weight\); 4 unexpected \(a, b, c, and 1 more\); 1 of another shape \(conv_in.bias \[2, 3, 1, 1\] where \[2\] is needed\)/,
    )(error),
  );
});

test('damaged weights: cut off, not finite, another kind of file', async () => {
  const whole = readFileSync(unetFile(weightsFile));
  truncateSync(unetFile(weightsFile), whole.length - 5);
  await assert.rejects(readUnet(), refusal(/diffusion_pytorch_model.safetensors: .*cut off/));
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const damaged = entries.map(([name, value]) => {
      const data = value.data.slice();
      if (name === 'conv_in.bias') data[1] = bad;
      return [name, { ...value, data }] as const;
    });
    writeFileSync(unetFile(weightsFile), encodeSafetensors(damaged));
    await assert.rejects(readUnet(), refusal(new RegExp(`conv_in.bias holds ${bad}`)));
  }
  writeFileSync(unetFile(weightsFile), 'version https://git-lfs.github.com/spec/v1\n');
  await assert.rejects(readUnet(), refusal(/Git LFS pointer/));
  rmSync(unetFile(weightsFile));
  await assert.rejects(readUnet(), refusal(/has no weights: it holds config.json/));
});

test('what is no model folder is told apart', async () => {
  const open = (name: string) => () => openDiffusersFolder(name);
  assert.throws(open(scratch.path('nowhere')), refusal(/nowhere: no such folder/));
  assert.throws(open(join(model, 'model_index.json')), refusal(/is a file, not a model folder/));
  const hint = (name: string, pattern: RegExp) =>
    assert.throws(open(name), (error) => {
      assert.match((error as { hint: string }).hint, pattern);
      return refusal(/is not a model folder: it has no model_index.json/)(error);
    });
  hint(join(model, 'unet'), /single component: name the folder above/);
  mkdirSync(scratch.path('outer'), { recursive: true });
  cpSync(model, scratch.path('outer/inner'), { recursive: true });
  hint(scratch.path('outer'), /There is one inside: .*inner/);
  assert.equal(isDiffusersFolder(model), true);
  assert.equal(isDiffusersFolder(join(model, 'unet')), false);
});

test('a damaged index, a missing component, a class that is not supported', () => {
  const index = join(model, 'model_index.json');
  const good = readFileSync(index, 'utf8');
  const opening = (text: string) => {
    writeFileSync(index, text);
    return () => openDiffusersFolder(model);
  };
  assert.throws(opening(good.slice(0, 50)), refusal(/model_index.json is not JSON/));
  assert.throws(opening('[]'), refusal(/holds no JSON object/));
  assert.throws(opening('{}'), refusal(/names no pipeline/));
  assert.throws(opening(good.replace('"UNet2DConditionModel"', '5')), refusal(/'unet' must be a library and a class/));
  writeFileSync(index, good.replace('UNet2DConditionModel', 'UNet3DConditionModel'));
  assert.throws(() => component(), refusal(/unet is a UNet3DConditionModel, which is not supported/));
  writeFileSync(index, good);
  assert.throws(() => componentOf(openDiffusersFolder(model), 'prior'), refusal(/has no component 'prior'/));
  rmSync(join(model, 'vae'), { recursive: true });
  assert.throws(() => component('vae'), refusal(/the folder vae\/ is missing/));
  rmSync(unetFile('config.json'));
  assert.throws(() => configOf(component()), refusal(/unet\/config.json is missing/));
});

test('pipelines of another kind are named', () => {
  const index = join(model, 'model_index.json');
  const xl = {
    _class_name: 'StableDiffusionXLPipeline',
    unet: ['diffusers', 'U'],
    text_encoder_2: ['transformers', 'T'],
  };
  writeFileSync(index, JSON.stringify(xl));
  const check = () => refuseOtherPipelines(openDiffusersFolder(model));
  assert.throws(check, refusal(/is a StableDiffusionXLPipeline with text_encoder_2 \(T\), which is not supported/));
  writeFileSync(index, JSON.stringify({ _class_name: 'DiTPipeline', transformer: ['diffusers', 'D'] }));
  assert.throws(check, refusal(/is a DiTPipeline with transformer \(D\)/));
});

test('symbolic links lead nowhere but in the cache of the hub', async () => {
  const outside = await scratch.write('secret.json', '{"a": 1}');
  rmSync(unetFile('config.json'));
  symlinkSync(outside, unetFile('config.json'));
  assert.throws(() => configOf(component()), refusal(/config.json leads out of the model folder/));
  const repository = scratch.path('models--me--tiny');
  const snapshot = join(repository, 'snapshots', '0123abcd');
  mkdirSync(join(repository, 'blobs'), { recursive: true });
  mkdirSync(join(snapshot, 'unet'), { recursive: true });
  writeFileSync(join(repository, 'blobs', 'b1'), '{"_class_name": "P", "unet": ["diffusers", "U"]}');
  writeFileSync(join(repository, 'blobs', 'b2'), '{"size": 7}');
  symlinkSync('../../blobs/b1', join(snapshot, 'model_index.json'));
  symlinkSync('../../../blobs/b2', join(snapshot, 'unet', 'config.json'));
  const cached = openDiffusersFolder(snapshot);
  assert.deepEqual(configOf(componentOf(cached, 'unet')), { size: 7 });
  symlinkSync(outside, join(snapshot, 'unet', 'other.json'));
  assert.throws(() => modelFile(snapshot, 'unet/other.json'), refusal(/leads out/));
});

test('a student takes from its base what it does not have itself', async () => {
  const student = `${model}-student`;
  const changed = new Map(entries.map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => -x) }]));
  const network = { className: 'UNet2DConditionModel', config: { size: 2 }, tensors: changed };
  const dmd = { base: `../${model.split('/').at(-1)}`, role: 'generator', timestep: 999 };
  await writeDiffusersFolder(student, { unet: network, dmd });
  const folder = openDiffusersFolder(student);
  assert.deepEqual(folder.dmd, dmd);
  const own = componentOf(folder, 'unet', ['UNet2DConditionModel']);
  assert.deepEqual(await readComponentWeights(own, expectedOf(unet)), changed);
  const based = componentOf(folder, 'vae', ['AutoencoderKL']);
  assert.equal(based.folder.path, model);
  assert.deepEqual(await readComponentWeights(based, expectedOf(unet)), unet);
  const chain = `${model}-chain`;
  await writeDiffusersFolder(chain, { dmd: { base: student } });
  assert.throws(() => openDiffusersFolder(chain), refusal(/the base model of .* is the base of another model/));
  rmSync(model, { recursive: true });
  assert.throws(() => openDiffusersFolder(student), refusal(/the base model of .*cannot be opened: .*no such folder/));
});

test('floats that are whole stay floats, because transformers insists on it', async () => {
  const config = { layer_norm_eps: 1e-5, initializer_factor: 1, attention_dropout: 0, hidden_size: 16 };
  await writeDiffusersFolder(model, { text_encoder: { className: 'CLIPTextModel', config, tensors: unet } });
  const text = readFileSync(join(model, 'text_encoder', 'config.json'), 'utf8');
  assert.match(text, /"initializer_factor": 1\.0,/);
  assert.match(text, /"attention_dropout": 0\.0,/);
  assert.match(text, /"hidden_size": 16\n/);
  assert.deepEqual(configOf(component('text_encoder')).initializer_factor, 1);
});
