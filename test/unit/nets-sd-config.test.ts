/** Configs of Stable Diffusion's networks: defaults, what is refused and in which words, and sizes that do not fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph } from '../../backend/graph/graph.ts';
import type { ParameterSource } from '../../backend/graph/parameters.ts';
import {
  createAutoencoderKL,
  createAutoencoderTiny,
  createClipText,
  createTextUNet,
  ignoredKeys,
} from '../../backend/nets/stable-diffusion/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const unet = {
  sample_size: 8,
  block_out_channels: [8, 16],
  norm_num_groups: 4,
  attention_head_dim: 4,
  cross_attention_dim: 6,
  layers_per_block: 1,
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
};
const kl = { block_out_channels: [8], norm_num_groups: 4 };
const clip = { hidden_size: 12, num_attention_heads: 3, num_hidden_layers: 2 };

type Create = (config: unknown) => unknown;

const refused: [create: Create, config: unknown, message: RegExp][] = [
  [createTextUNet, 7, /UNet2DConditionModel: the config is not an object/],
  [createTextUNet, { ...unet, atention_head_dim: 8 }, /'atention_head_dim' \(8\) is not known/],
  [createTextUNet, { ...unet, _class_name: 'UNet2DModel' }, /'_class_name' is "UNet2DModel"/],
  [createTextUNet, { ...unet, sample_size: undefined }, /'sample_size' is null/],
  [createTextUNet, { ...unet, act_fn: 'mish' }, /'act_fn' is "mish"/],
  [createTextUNet, { ...unet, time_cond_proj_dim: 256 }, /'time_cond_proj_dim' is 256/],
  [createTextUNet, { ...unet, addition_embed_type: 'text_time' }, /'addition_embed_type' is "text_time"/],
  [createTextUNet, { ...unet, dual_cross_attention: true }, /'dual_cross_attention' is true/],
  [createTextUNet, { ...unet, only_cross_attention: [true, false] }, /'only_cross_attention[^']*' is \[true,false\]/],
  [createTextUNet, { ...unet, resnet_time_scale_shift: 'scale_shift' }, /'resnet_time_scale_shift' is "scale_shift"/],
  [createTextUNet, { ...unet, mid_block_type: 'UNetMidBlock2D' }, /'mid_block_type' is "UNetMidBlock2D"/],
  [
    createTextUNet,
    { ...unet, down_block_types: ['DownBlock2D'] },
    /'down_block_types' is \["DownBlock2D"\]: .* 2 blocks/,
  ],
  [createTextUNet, { ...unet, up_block_types: ['AttnUpBlock2D', 'UpBlock2D'] }, /'up_block_types.*AttnUpBlock2D/],
  [createTextUNet, { ...unet, layers_per_block: [1, 1, 1] }, /'layers_per_block' is \[1,1,1\]: 2 blocks/],
  [createTextUNet, { ...unet, attention_head_dim: [4, 5] }, /'attention_head_dim' is \[4,5\]: 16 channels .* 5 heads/],
  [createTextUNet, { ...unet, norm_num_groups: 3 }, /normalises 8 channels, .* norm_num_groups 3/],
  [createTextUNet, { ...unet, conv_in_kernel: 2 }, /'conv_in_kernel' is 2: an odd number/],
  [createTextUNet, { ...unet, block_out_channels: [7, 14], norm_num_groups: 7, attention_head_dim: 7 }, /even/],
  [createAutoencoderKL, { ...kl, down_block_types: ['AttnDownEncoderBlock2D'] }, /'down_block_types.*AttnDown/],
  [createAutoencoderKL, { ...kl, block_out_channels: [8, 8] }, /'down_block_types' is \["DownEncoderBlock2D"\]/],
  [createAutoencoderKL, { ...kl, shift_factor: 0.1 }, /'shift_factor' is 0.1/],
  [createAutoencoderKL, { ...kl, out_channels: 4 }, /'out_channels' is 4: in_channels is 3/],
  [createAutoencoderKL, { ...kl, latent_dim: 3 }, /AutoencoderKL: 'latent_dim' \(3\) is not known/],
  [createAutoencoderTiny, { act_fn: 'gelu' }, /'act_fn' is "gelu"/],
  [createAutoencoderTiny, { num_encoder_blocks: [1, 1] }, /'encoder_block_out_channels' .* 2 stages/],
  [createAutoencoderTiny, { decoder_block_out_channels: [64, 64, 32, 64] }, /same width/],
  [
    createAutoencoderTiny,
    { num_encoder_blocks: [1, 1], encoder_block_out_channels: [8, 8] },
    /'num_decoder_blocks' .* 2 stages/,
  ],
  [createClipText, { ...clip, hidden_act: 'relu' }, /CLIPTextModel: 'hidden_act' is "relu"/],
  [createClipText, { ...clip, model_type: 't5' }, /'model_type' is "t5"/],
  [createClipText, { ...clip, num_attention_heads: 5 }, /'num_attention_heads' is 5/],
  [createClipText, { ...clip, vocab_size: 0 }, /'vocab_size' is 0/],
  [(config) => createClipText(config, { clipSkip: 2 }), clip, /'clip_skip' is 2: the encoder has 2 layers/],
];

for (const [create, config, message] of refused) {
  test(`refused: ${message}`, () => {
    assert.throws(
      () => create(config),
      (error) => error instanceof UserError && error.kind === 'config' && message.test(error.message),
    );
  });
}

test('what says who wrote the file is left out, and defaults are filled in', () => {
  const { config, latentShape, contextDim } = createTextUNet({
    ...unet,
    _class_name: 'UNet2DConditionModel',
    _diffusers_version: '0.6.0',
    _name_or_path: './unet',
  });
  assert.ok(!Object.keys(config).some((key) => key.startsWith('_')));
  assert.deepEqual([config.norm_eps, config.freq_shift, config.flip_sin_to_cos], [1e-5, 0, true]);
  assert.deepEqual([latentShape, contextDim], [[4, 8, 8], 6]);
  const { config: autoencoder, downFactor, scalingFactor } = createAutoencoderKL(kl);
  assert.deepEqual([autoencoder.latent_channels, downFactor, scalingFactor], [4, 1, 0.18215]);
  assert.deepEqual(createAutoencoderTiny({}).downFactor, 8);
});

test('bookkeeping of averaged weights and keys that are off are passed over, and said; others are not', () => {
  const averaged = { decay: 0.9999, inv_gamma: 1, min_decay: 0, optimization_step: 1, power: 2 / 3 };
  const off = { update_after_step: 0, use_ema_warmup: false, some_new_block: null, another_new_block: false };
  for (const [create, config] of [
    [createTextUNet, unet],
    [createAutoencoderKL, kl],
    [createAutoencoderTiny, {}],
  ] as const) {
    const raw = { ...config, ...averaged, ...off, _name_or_path: 'x' };
    const made = (create as (config: unknown) => { config: object; layout: unknown })(raw);
    assert.deepEqual(made.layout, (create as (config: unknown) => { layout: unknown })(config).layout);
    assert.deepEqual(ignoredKeys(raw, made.config).sort(), Object.keys({ ...averaged, ...off }).sort());
    for (const some_new_block of [true, 0, 1, '', 'gelu', [], {}]) {
      assert.throws(() => create({ ...config, some_new_block }), /'some_new_block' \(.*\) is not known/);
    }
  }
});

test('a value that is not supported is named, with those that are', () => {
  const says = (create: Create, config: unknown, message: RegExp) => assert.throws(() => create(config), message);
  says(
    createTextUNet,
    { ...unet, time_cond_proj_dim: 256 },
    /'time_cond_proj_dim' is 256: only null is supported, not 256/,
  );
  says(createTextUNet, { ...unet, act_fn: 'mish' }, /only "silu" or "swish" are supported, not "mish"/);
  says(createTextUNet, { ...unet, mid_block_type: 'X' }, /only "UNetMidBlock2DCrossAttn" is supported, not "X"/);
  says(createAutoencoderKL, { ...kl, shift_factor: 0.1 }, /only null is supported, not 0.1/);
  assert.doesNotThrow(() => createTextUNet({ ...unet, dual_cross_attention: null, class_embeddings_concat: null }));
});

test("a text encoder's config may hold whatever transformers writes", () => {
  const { config, maxTokens, contextDim } = createClipText({ ...clip, torch_dtype: 'float16', top_k: 50 });
  assert.deepEqual([maxTokens, contextDim, config.hidden_act], [77, 12, 'quick_gelu']);
});

test('the size of latents can be another than the config says', () => {
  const wide = createTextUNet({ ...unet, sample_size: [4, 6] });
  assert.deepEqual(wide.latentShape, [4, 4, 6]);
  const other = createTextUNet({ ...unet, sample_size: undefined }, { size: [3, 5] });
  assert.deepEqual(other.latentShape, [4, 3, 5]);
  assert.deepEqual(other.layout, wide.layout, 'parameters do not depend on it');
});

const anything = (graph: Graph): ParameterSource => ({ graph, get: (name, shape) => graph.input(name, shape) });

test('inputs of other shapes are named', () => {
  const graph = new Graph();
  const input = (...shape: number[]) => graph.input(`x${graph.inputs.size}`, shape);
  const { predict } = createTextUNet(unet);
  const p = anything(graph);
  assert.throws(() => predict(p, input(2, 3, 8, 8), input(2), input(2, 5, 6)), /sample is \[2,3,8,8\]/);
  assert.throws(() => predict(p, input(2, 4, 8, 8), input(1), input(2, 5, 6)), /timestep is \[1\]/);
  assert.throws(() => predict(p, input(2, 4, 8, 8), input(2), input(1, 5, 6)), /context is \[1,5,6\]/);
  assert.throws(() => predict(p, input(2, 4, 8, 8), input(2), input(2, 6)), /context is \[2,6\]/);
  assert.throws(() => createClipText(clip).encode(p, input(1, 78)), /ids are \[1,78\] .* at most 77/);
  const autoencoder = createAutoencoderTiny({});
  assert.throws(() => autoencoder.encode(p, input(1, 3, 12, 8)), /images are \[1,3,12,8\] .* multiples of 8/);
  assert.throws(() => autoencoder.decode(p, input(1, 3, 2, 2)), /latents are \[1,3,2,2\]/);
});

test('a fresh U-Net is the identity in every residual branch', () => {
  const zero = createTextUNet(unet).layout.entries.filter(
    ({ name, init }) => init.kind === 'zeros' && name.endsWith('weight'),
  );
  assert.ok(zero.length > 0 && zero.every(({ name }) => /(conv2|proj_out|conv_out)\.weight$/.test(name)));
});
