/** Network configurations: what is accepted, what is refused and in which words, and how parameters start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph } from '../../backend/graph/graph.ts';
import { adamW, adamWScalarCount } from '../../backend/graph/optimizer.ts';
import { flatParameters, initialParameters, type ParameterEntry } from '../../backend/graph/parameters.ts';
import { createNetwork, parseNetworkConfig } from '../../backend/nets/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { stream } from '../../backend/random/stream.ts';

const small = { img_resolution: 8, img_channels: 3, model_channels: 16, channel_mult: [1, 2], num_blocks: 1 };

test("the original's defaults are filled in", () => {
  const edm = parseNetworkConfig({ img_resolution: 64, img_channels: 3 });
  assert.deepEqual(edm, {
    class: 'EDMPrecond',
    model_type: 'DhariwalUNet',
    img_resolution: 64,
    img_channels: 3,
    label_dim: 0,
    use_fp16: false,
    sigma_min: 0,
    sigma_max: Infinity,
    sigma_data: 0.5,
    augment_dim: 0,
    model_channels: 192,
    channel_mult: [1, 2, 3, 4],
    channel_mult_emb: 4,
    num_blocks: 3,
    attn_resolutions: [32, 16, 8],
    dropout: 0.1,
    label_dropout: 0,
  });
  const vp = parseNetworkConfig({ class: 'training.networks.VPPrecond', img_resolution: 32, img_channels: 3 });
  assert.ok(vp.model_type === 'SongUNet' && vp.class === 'VPPrecond');
  assert.deepEqual([vp.beta_d, vp.beta_min, vp.M, vp.epsilon_t], [19.9, 0.1, 1000, 1e-5]);
  assert.deepEqual([vp.channel_mult, vp.num_blocks, vp.attn_resolutions], [[1, 2, 2, 2], 4, [16]]);
  assert.deepEqual(parseNetworkConfig(JSON.parse(JSON.stringify(edm))), edm, 'survives JSON, where Infinity is null');
});

const refused: [config: unknown, message: RegExp][] = [
  [{ ...small, model_chanels: 8 }, /unknown key 'model_chanels'/],
  [{ ...small, embedding_type: 'fourier' }, /unknown key 'embedding_type' for EDMPrecond with DhariwalUNet/],
  [{ ...small, class: 'VEPrecond', sigma_data: 1 }, /unknown key 'sigma_data'/],
  [{ ...small, class: 'Precond' }, /class is "Precond"/],
  [{ ...small, model_type: 'UNet' }, /model_type is "UNet"/],
  [{ ...small, label_dim: -1 }, /label_dim/],
  [{ ...small, label_dim: '10' }, /label_dim/],
  [{ ...small, img_resolution: 7 }, /img_resolution 7/],
  [{ ...small, img_resolution: 8.5 }, /img_resolution/],
  [{ ...small, channel_mult: [] }, /channel_mult/],
  [{ ...small, model_channels: 15 }, /model_channels 15/],
  [{ ...small, model_channels: 2 }, /normalises 2 channels/],
  [{ ...small, model_channels: 136 }, /normalises 136 channels/],
  [{ ...small, model_type: 'SongUNet', resample_filter: [1, 2, 1] }, /resample_filter/],
  [{ ...small, model_type: 'SongUNet', resample_filter: [1, -1] }, /resample_filter/],
  [{ ...small, model_type: 'SongUNet', encoder_type: 'dense' }, /encoder_type/],
  [{ ...small, class: 'VEPrecond', sigma_min: 5, sigma_max: 1 }, /sigma_min 5/],
  [{ img_channels: 3 }, /img_resolution/],
  ['SongUNet', /object/],
];

for (const [config, message] of refused) {
  test(`refused: ${JSON.stringify(config)}`, () => {
    assert.throws(
      () => createNetwork(config),
      (error) => error instanceof UserError && error.kind === 'config' && message.test(error.message),
    );
  });
}

test('parameters start as the original starts them', () => {
  const song = createNetwork({ ...small, model_type: 'SongUNet', label_dim: 5, embedding_type: 'fourier' });
  const initOf = (entries: readonly ParameterEntry[], name: string) =>
    entries.find((entry) => entry.name === `model.${name}`)?.init;
  const xavier = (fanIn: number, fanOut: number, gain = 1) => ({
    kind: 'uniform',
    bound: gain * Math.sqrt(6 / (fanIn + fanOut)),
  });
  const { entries } = song.layout;
  assert.deepEqual(initOf(entries, 'enc.8x8_conv.weight'), xavier(27, 144));
  assert.deepEqual(initOf(entries, 'enc.8x8_block0.conv1.weight'), xavier(144, 144, 1e-5));
  assert.deepEqual(initOf(entries, 'dec.4x4_in0.qkv.weight'), xavier(32, 96, Math.sqrt(0.2)));
  assert.deepEqual(initOf(entries, 'map_label.weight'), xavier(5, 16));
  assert.deepEqual(initOf(entries, 'map_label.bias'), { kind: 'zeros' });
  assert.deepEqual(initOf(entries, 'enc.8x8_block0.norm0.weight'), { kind: 'ones' });
  assert.deepEqual(initOf(entries, 'map_noise.freqs'), { kind: 'normal', std: 16 });
  const adm = createNetwork({ ...small, label_dim: 5 }).layout.entries;
  const third = Math.sqrt(1 / 3);
  assert.deepEqual(initOf(adm, 'map_layer0.weight'), { kind: 'uniform', bound: third * Math.sqrt(3 / 16) });
  assert.deepEqual(initOf(adm, 'map_layer0.bias'), { kind: 'uniform', bound: third * Math.sqrt(3 / 16) });
  assert.deepEqual(initOf(adm, 'map_label.weight'), { kind: 'normal', std: 1 });
  assert.deepEqual(initOf(adm, 'out_conv.weight'), { kind: 'zeros' });
});

test('frequencies and augmentation weights are state, but not trained', () => {
  const net = createNetwork({ ...small, model_type: 'SongUNet', embedding_type: 'fourier', augment_dim: 9 });
  const { entries, size, trainedSize } = net.layout;
  assert.deepEqual(
    entries.filter(({ role }) => role === 'fixed').map(({ name }) => name),
    ['model.map_noise.freqs', 'model.map_augment.weight'],
  );
  assert.equal(size - trainedSize, 8 + 9 * 16);
  assert.equal(entries.at(-1)?.name, 'model.map_augment.weight');
  const graph = new Graph();
  const flat = graph.input('parameters', [size]);
  assert.equal(flatParameters(net.layout, [flat]).tensors.length, entries.length - 2);
  const state = { parameters: flat, firstMoment: graph.input('m', [size]), secondMoment: graph.input('v', [size]) };
  const next = adamW(state, graph.input('gradient', [trainedSize]), graph.input('adamW', [adamWScalarCount]));
  assert.deepEqual(next.parameters.shape, [size]);
  const start = initialParameters(net.layout, stream(1, 'init'));
  const frequencies = start.subarray(trainedSize, trainedSize + 8);
  assert.ok(Math.max(...frequencies.map(Math.abs)) > 4, 'drawn with deviation 16');
});

test('the published networks have the published sizes', () => {
  const cifar = { img_resolution: 32, img_channels: 3, label_dim: 10, model_type: 'SongUNet', channel_mult: [2, 2, 2] };
  const ddpmpp = createNetwork({ ...cifar, augment_dim: 9 });
  const imagenet = createNetwork({ img_resolution: 64, img_channels: 3, label_dim: 1000 });
  // As the EDM authors state them: 56 and 296 million.
  assert.equal(Math.round(ddpmpp.layout.size / 1e6), 56);
  assert.equal(Math.round(imagenet.layout.size / 1e6), 296);
});
