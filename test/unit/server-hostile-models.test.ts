/** Model files of a few hundred bytes that ask for networks of gigabytes, and files that are none: listed beside good ones. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { createNetwork } from '../../backend/nets/index.ts';
import { createClipText, createTextUNet } from '../../backend/nets/stable-diffusion/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { ModelDescriber } from '../../backend/server/models/model-describer.ts';
import { encodeTensors } from '../../backend/weights/tensor-file.ts';
import { limitHere } from '../machine-speed.ts';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-models-')));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const plain = {
  img_resolution: 16,
  img_channels: 3,
  label_dim: 0,
  model_channels: 8,
  channel_mult: [1, 1],
  num_blocks: 1,
};
const tiny = { ...plain, class: 'EDMPrecond', model_type: 'SongUNet', attn_resolutions: [], sigma_max: null };

/** A file of one tensor that says it is of this network. */
function safetensors(name: string, network: unknown): string {
  const file = path.join(folder, `${name}.safetensors`);
  const one = new Map([['model.map_layer0.bias', { shape: [1], data: new Float32Array(1) }]]);
  fs.writeFileSync(file, encodeTensors(one, { 'dmd.network': JSON.stringify(network) }));
  return file;
}

/** An ONNX file of nothing but its metadata. */
function onnx(name: string, network: unknown): string {
  const length = (value: number) => (value < 128 ? [value] : [(value & 127) | 128, value >> 7]);
  const field = (number: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, ...length(bytes.length)]), bytes]);
  const entry = Buffer.concat([field(1, Buffer.from('dmd.network')), field(2, Buffer.from(JSON.stringify(network)))]);
  const file = path.join(folder, `${name}.onnx`);
  fs.writeFileSync(file, field(14, entry));
  return file;
}

/** The built-in text-to-image model without its weights, with a value of a configuration changed. */
function modelFolder(name: string, config: string, change: object): string {
  const made = path.join(folder, name);
  fs.cpSync('media/scenes-text/teacher', made, { recursive: true, filter: (file) => !file.endsWith('.safetensors') });
  for (const [part, stem] of [
    ['unet', 'diffusion_pytorch_model'],
    ['vae', 'diffusion_pytorch_model'],
    ['text_encoder', 'model'],
  ]) {
    fs.writeFileSync(path.join(made, part!, `${stem}.safetensors`), '');
  }
  const file = path.join(made, config);
  const before = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  fs.writeFileSync(file, JSON.stringify({ ...before, ...change }));
  return made;
}

const huge = [1e6, 2 ** 31, 1e15];
const networkKeys = [
  'num_blocks',
  'model_channels',
  'channel_mult_noise',
  'channel_mult_emb',
  'label_dim',
  'augment_dim',
  'img_channels',
];

test('a network that no file needs is refused before it is built', () => {
  const refuses = (build: () => unknown, what: string) => {
    const start = performance.now();
    assert.throws(
      build,
      (error) => error instanceof UserError && error.message.length < 300 && error.message.includes(what),
      what,
    );
    assert.ok(performance.now() - start < 1000, what);
  };
  for (const value of huge) {
    for (const key of networkKeys) refuses(() => createNetwork({ ...tiny, [key]: value }), key);
    refuses(() => createNetwork({ ...plain, class: 'iDDPMPrecond', M: value }), 'M');
    refuses(() => createNetwork({ ...tiny, channel_mult: [1, value] }), 'channel_mult');
    refuses(() => createClipText({ num_hidden_layers: value }), 'num_hidden_layers');
    refuses(() => createTextUNet({ sample_size: 8, layers_per_block: value }), 'layers_per_block');
    refuses(
      () => createTextUNet({ sample_size: 8, transformer_layers_per_block: [1, 1, 1, value] }),
      'transformer_layers_per_block',
    );
    refuses(
      () => createTextUNet({ sample_size: 8, block_out_channels: [320, 640, 1280, value] }),
      'block_out_channels',
    );
  }
  refuses(() => createNetwork({ ...tiny, img_resolution: 2 ** 14, channel_mult: Array(14).fill(1) }), 'channel_mult');
  refuses(
    () => createNetwork({ ...tiny, img_resolution: 2048, channel_mult: Array(11).fill(1), num_blocks: 200 }),
    'num_blocks',
  );
  // Within every bound, but of far more tensors than the file has.
  refuses(
    () =>
      createNetwork({ ...tiny, img_resolution: 1024, channel_mult: Array(8).fill(1), num_blocks: 250 }, { tensors: 1 }),
    'more than 1002 tensors',
  );
  createNetwork(tiny, { tensors: 1 });
});

test('the largest networks there are stay within the bounds', () => {
  // ADM's for ImageNet at 512 pixels, Stable Diffusion XL's depth and OpenCLIP's bigG, wider than what is supported.
  const adm = { ...plain, class: 'iDDPMPrecond', img_resolution: 512, label_dim: 21_843 };
  createNetwork({ ...adm, model_channels: 320, channel_mult: [1, 1, 2, 2, 4, 4, 8], num_blocks: 3 });
  createClipText({ hidden_size: 1664, intermediate_size: 8192, num_hidden_layers: 48, num_attention_heads: 16 });
  createTextUNet({
    ...{ sample_size: 128, block_out_channels: [320, 640, 1280, 1280], transformer_layers_per_block: [1, 2, 10, 10] },
    ...{ attention_head_dim: [5, 10, 20, 20], cross_attention_dim: 2048 },
  });
});

test('hostile files are listed with what is wrong with them, beside the good ones', async () => {
  const describer = new ModelDescriber();
  const files = [
    ...huge.flatMap((value) => networkKeys.map((key) => safetensors(`${key}-${value}`, { ...tiny, [key]: value }))),
    ...huge.map((value) => onnx(`blocks-${value}`, { ...tiny, num_blocks: value })),
    safetensors('no-object', [1]),
    safetensors('deep', JSON.parse(`${'['.repeat(90)}${']'.repeat(90)}`)),
    modelFolder('layers', 'text_encoder/config.json', { num_hidden_layers: 1e6 }),
    modelFolder('blocks', 'unet/config.json', { layers_per_block: 1e6 }),
    modelFolder('vae', 'vae/config.json', { layers_per_block: 1e6 }),
    modelFolder('timesteps', 'scheduler/scheduler_config.json', { num_train_timesteps: 1e9 }),
    modelFolder('steps', 'dmd.json', { role: 'teacher', steps: 1e12 }),
  ];
  if (process.platform !== 'win32') {
    const pipe = path.join(folder, 'pipe.safetensors');
    execFileSync('mkfifo', [pipe]);
    const piped = modelFolder('piped', 'unet/config.json', {});
    fs.rmSync(path.join(piped, 'unet/config.json'));
    execFileSync('mkfifo', [path.join(piped, 'unet/config.json')]);
    files.push(pipe, piped);
  }
  const good = ['builtin:scenes', 'builtin:scenes-text/teacher'];
  let longest = 0;
  let at = performance.now();
  const pulse = setInterval(() => {
    longest = Math.max(longest, performance.now() - at);
    at = performance.now();
  }, 10);
  const infos = await Promise.all([...files, ...good].map((name) => describer.describe(name)));
  clearInterval(pulse);
  describer.end();
  for (const { model, problem } of infos.slice(0, files.length)) {
    assert.notEqual(problem, '', model);
    assert.ok(problem.length < 1000 && !/fault of DMD/.test(problem), problem);
  }
  assert.deepEqual(
    infos.slice(files.length).map(({ problem }) => problem),
    ['', ''],
  );
  assert.ok(longest < limitHere(500), `the main thread stood still for ${Math.round(longest)} ms`);
});

test('a model that takes too long, or too much memory, ends with its own description alone', async () => {
  // Within the bounds, 50,000 tensors, and no list of tensors that would tell.
  const slow = onnx('slow', { ...tiny, img_resolution: 1024, channel_mult: Array(8).fill(1), num_blocks: 250 });
  for (const [limits, why] of [
    [{ seconds: 0.3, secondsForWhole: 60, megabytes: 1024 }, /takes more than 0\.3 s/],
    [{ seconds: 60, secondsForWhole: 60, megabytes: 24 }, /takes more than 24 MB/],
  ] as const) {
    const describer = new ModelDescriber(limits);
    const bad = await describer.describe(slow);
    assert.match(bad.problem, why);
    assert.equal(await describer.describe(slow).then(({ problem }) => problem), bad.problem, 'not tried again');
    describer.end();
  }
  const describer = new ModelDescriber();
  const [one, two] = await Promise.all([describer.describe(slow), describer.describe('builtin:scenes')]);
  describer.end();
  assert.deepEqual([one.problem, two.problem], ['', '']);
});
