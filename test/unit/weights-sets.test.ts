/** Files with several sets of weights, and names with what training programs put before and into them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKeyedWeights } from '../../backend/weights/diffusers/index.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { encodeSafetensors } from '../../backend/weights/safetensors.ts';
import { takenSet } from '../../backend/weights/weight-sets.ts';
import { expectedOf, unet } from './weights/diffusers.ts';
import { dict, integer, refusal, scratchFolder, torchZip, tuple } from './weights/files.ts';
import { checkpoint, type State, scaled, type Tree, under } from './weights/state-dicts.ts';

const scratch = scratchFolder();
const raw = scaled(unet, 2);
const expected = expectedOf(unet);
const joined = (...states: State[]): State => new Map(states.flatMap((state) => [...state]));
const buffers = (prefix: string, state: State): State =>
  new Map(Array.from(state, ([name, value]) => [prefix + name.replaceAll('.', ''), value]));

async function read(file: Uint8Array, key?: string) {
  const path = await scratch.write('checkpoint', file);
  return readKeyedWeights([path], expected, path, key);
}

/** [the file, the key that is said]: `unet` is what must be taken, `raw` what must not. */
const averages: [Tree, string][] = [
  [{ generator: raw, generator_ema: unet, critic: raw }, 'generator_ema'],
  [{ generator_ema: unet, generator: raw }, 'generator_ema'],
  [{ model: raw, ema: unet }, 'ema'],
  [{ model: raw, EMA: unet, step: integer(3) }, 'EMA'],
  [{ unet: raw, unet_ema: unet }, 'unet_ema'],
  [{ netG: raw, netG_ema: unet, netD: raw }, 'netG_ema'],
  [{ model: raw, emaModel: unet }, 'emaModel'],
  [{ model: raw, modelema: unet }, 'modelema'],
  [{ model: raw, 'ema_0.9999': unet }, 'ema_0.9999'],
  [{ student: raw, averaged_student: unet, teacher: raw }, 'averaged_student'],
  [{ state_dict: raw, swa_state_dict: unet }, 'swa_state_dict'],
  [{ state_dict: { generator: raw, generator_ema: unet } }, 'state_dict.generator_ema'],
  [{ ema: { generator: unet, critic: raw }, model: { generator: raw, critic: raw } }, 'ema.generator'],
  [{ generator: unet, critic_ema: raw, critic: raw }, 'generator'],
  [{ guidance_model: { real_unet: raw, fake_unet: raw }, feedforward_model: unet }, 'feedforward_model'],
  [
    joined(
      under('guidance_model.fake_unet.', raw),
      under('feedforward_model.', unet),
      under('guidance_model.real_unet.', raw),
    ),
    'feedforward_model',
  ],
  ...[
    'exponential_moving_average',
    'ExponentialMovingAverage',
    'moving_avg',
    'running_average',
    'model_averaging',
    'emas',
    'net_ema_decay0999',
    'g_ema',
    'G_ema',
    'ema_unet',
    'emaStudent',
    'target_model',
    'smoothed',
    'mean_model',
    'modelMean',
    'lagged',
    'slow_weights',
  ].map((name): [Tree, string] => [{ model: raw, [name]: unet }, name]),
  [
    { state_dict: under('net.', raw), callbacks: { 'EMACallback{}': { ema_state_dict: under('net.', unet) } } },
    'callbacks.EMACallback{}.ema_state_dict.net',
  ],
  [
    { step: integer(1), model: raw, ema: joined(under('online_model.', raw), under('ema_model.', unet)) },
    'ema.ema_model',
  ],
  [{ model: raw, ema: [...unet.values()] }, 'ema'],
  [{ unet: raw, teacher_unet: raw, target_unet: unet }, 'target_unet'],
  [joined(under('model.', raw), under('lagged_model.', unet)), 'lagged_model'],
  [{ generator: raw, exponential_moving_average: unet }, 'exponential_moving_average'],
  [{ model: unet, critic_ema: raw, unet: raw, unet_ema: raw }, 'model'],
  [{ text_encoder: new Map([['a', unet.get('conv_in.bias')!]]), denoising: unet }, 'denoising'],
  [joined(under('generator.', raw), under('generator_ema.', unet), under('fake.', raw)), 'generator_ema'],
  [joined(under('online_model.', raw), under('ema_model.module.', unet)), 'ema_model'],
  [joined(raw, under('ema.', unet)), 'ema'],
  [joined(under('model.', raw), buffers('model_ema.', unet)), 'model_ema'],
  [
    joined(under('model.diffusion_model.', raw), buffers('model_ema.diffusion_model', unet)),
    'model_ema.diffusion_model',
  ],
];

for (const [tree, said] of averages) {
  test(`an average is taken, and said: ${said} of ${tree instanceof Map ? 'names' : Object.keys(tree)}`, async () => {
    const { weights, key } = await read(checkpoint(tree));
    assert.equal(key, said);
    assert.deepEqual(weights, unet);
  });
}

test('what averages keep beside the weights is no tensor too many', async () => {
  const counted = (...names: string[]): State =>
    new Map(names.map((name) => [name, { shape: [], data: Float32Array.of(1) }]));
  for (const file of [
    joined(counted('n_averaged'), under('module.', unet)),
    joined(counted('initted', 'step'), under('online_model.', raw), under('ema_model.', unet)),
    joined(under('model.', raw), counted('model_ema.decay', 'model_ema.num_updates'), buffers('model_ema.', unet)),
  ]) {
    assert.deepEqual((await read(checkpoint(file))).weights, unet);
  }
});

test('an average without names takes those of what it is the average of', async () => {
  const ema = { decay: integer(1), shadow_params: [...unet.values()] };
  const { weights, key } = await read(checkpoint({ unet: raw, ema }));
  assert.equal(key, 'ema');
  assert.deepEqual(weights, unet);
});

test('a key chooses another set, nested or by the beginning of names; one that is not there is refused with those that are', async () => {
  const nested = checkpoint({ generator: raw, generator_ema: unet });
  assert.deepEqual((await read(nested, 'generator')).weights, raw);
  const flat = encodeSafetensors(joined(under('generator.', raw), under('generator_ema.', unet)));
  assert.deepEqual((await read(flat, 'generator')).weights, raw);
  assert.deepEqual((await read(flat)).weights, unet);
  for (const file of [nested, flat]) {
    await assert.rejects(read(file, 'ema'), refusal(/no weights under 'ema' alone, but generator, generator_ema/));
  }
});

test('what was passed over is told, nested or by the beginning of names, so that a key can choose it', async () => {
  for (const [tree, taken, others] of [
    [{ model: unet, unheard_of: raw, loss: new Map([...unet].slice(1)) }, 'model', ['unheard_of']],
    [joined(under('model.', unet), under('unheard_of.', raw)), 'model', ['unheard_of']],
    [joined(unet, under('critic.', raw)), '', ['critic']],
    [{ model: joined(unet, under('fake.', raw)), ema: unet, critic: raw }, 'ema', ['model', 'model.fake', 'critic']],
  ] as [Tree, string, string[]][]) {
    const { key, others: told, weights } = await read(checkpoint(tree));
    assert.deepEqual({ key, told: told.toSorted() }, { key: taken, told: others.toSorted() });
    assert.deepEqual(weights, unet);
    for (const other of others) assert.ok((await read(checkpoint(tree), other)).weights.size > 0, other);
  }
  assert.equal(takenSet('ema', ['model', 'critic']), "'ema' (there too: model, critic)");
  assert.equal(takenSet('', ['critic']), 'no key (there too: critic)');
});

test('where there is no telling, the sets are named', async () => {
  await assert.rejects(
    read(checkpoint({ left: raw, right: unet })),
    refusal(/several sets of weights, left and right/),
  );
  const two = { 'ema_0.99': raw, 'ema_0.999': unet, model: raw };
  await assert.rejects(read(checkpoint(two)), refusal(/several sets of weights, ema_0.99 and ema_0.999/));
  assert.deepEqual((await read(checkpoint(two), 'ema_0.999')).weights, unet);
});

const beginnings = [
  'module._orig_mod.',
  '_orig_mod.module.',
  'unet._orig_mod.',
  'model.unet.',
  '_fsdp_wrapped_module.',
  'generator.',
  'ema_model.',
  'model.diffusion_model.',
  'module.net.module._orig_mod.',
];

for (const beginning of beginnings) {
  test(`names that begin with ${beginning}`, async () => {
    assert.deepEqual((await read(checkpoint(under(beginning, unet)))).weights, unet);
    assert.deepEqual((await read(encodeSafetensors(under(beginning, unet)))).weights, unet);
  });
}

test('wrappers inside names', async () => {
  const inside = Array.from(unet, ([name, value]) => [
    `_fsdp_wrapped_module.${name.replace('mid.', 'mid._checkpoint_wrapped_module._orig_mod.')}`,
    value,
  ]);
  assert.deepEqual((await read(checkpoint(Object.fromEntries(inside)))).weights, unet);
});

test('a tensor too many or too few is told under any beginning', async () => {
  const more = new Map([...unet, ['conv_out.bias', unet.get('conv_in.bias')!]]);
  await assert.rejects(read(checkpoint(under('unet.', more))), refusal(/1 unexpected \(conv_out.bias\)/));
  const fewer = new Map([...unet].slice(1));
  await assert.rejects(read(checkpoint(under('unet.', fewer))), refusal(/1 missing \(conv_in.weight\)/));
});

test('whole numbers are no weights, whoever asks for them', async () => {
  const quantised = Array.from(unet, ([name, { shape, data }]) => [
    name,
    { dtype: 'I8' as const, shape, data: Int8Array.from(data) },
  ]) as [string, { dtype: 'I8'; shape: readonly number[]; data: Int8Array }][];
  await assert.rejects(read(encodeSafetensors(quantised)), refusal(/conv_in.weight holds whole numbers \(I8\)/));
  const { dtypes } = await loadWeights(await scratch.write('i8', encodeSafetensors(quantised)));
  assert.deepEqual([...new Set(dtypes.values())], ['I8']);
});

test('averages of several rates in a list are told apart by their place', async () => {
  const lists = { net: raw, ema: { emas: [raw, unet] } };
  await assert.rejects(read(checkpoint(lists)), refusal(/several sets of weights, ema.emas.0 and ema.emas.1/));
  assert.deepEqual((await read(checkpoint(lists), 'ema.emas.1')).weights, unet);
});

test('settings beside weights, as Lightning and Hydra save them, are data like any other', async () => {
  for (const [module, name] of [
    ['pathlib', 'PosixPath'],
    ['omegaconf.dictconfig', 'DictConfig'],
    ['datetime', 'timedelta'],
    ['collections', 'deque'],
    ['lightning.fabric.utilities.data', 'AttributeDict'],
  ]) {
    const settings = dict({ it: `c${module}\n${name}\n)R` });
    const { weights } = await read(checkpoint({ state_dict: unet, hyper_parameters: settings }));
    assert.deepEqual(weights, unet, name);
  }
});

test('files of another kind than a network are named for what they are', async () => {
  const one = unet.get('conv_in.weight')!;
  for (const [name, what] of [
    ['lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight', /a LoRA/],
    ['unet.down_blocks.0.attentions.0.proj_in.lora_A.weight', /a LoRA/],
    ['down_blocks.0.attentions.0.processor.to_q_lora.down.weight', /a LoRA/],
    ['_fsdp_wrapped_module._flat_param', /flattened, as FSDP keeps them/],
    ['emb_params', /an embedding/],
    ['controlnet_cond_embedding.conv_in.weight', /a ControlNet/],
    ['model.diffusion_model.input_blocks.0.0.weight', /original Stable Diffusion code/],
    ['input_blocks.1.0.in_layers.0.weight', /original Stable Diffusion code/],
    ['double_blocks.0.img_attn.qkv.weight', /diffusion transformer/],
  ] as const) {
    const file = new Map([[name, one]]);
    await assert.rejects(read(encodeSafetensors(file)), refusal(what), name);
    await assert.rejects(read(checkpoint({ state_dict: file })), refusal(what), name);
    // Beside the network it is no matter.
    assert.deepEqual((await read(checkpoint({ unet, other: file }))).weights, unet);
  }
  await assert.rejects(
    read(checkpoint({ shadow_params: [...unet.values()] })),
    refusal(/averaged weights have no names/),
  );
  await assert.rejects(
    read(torchZip(dict({ a: 'cdeepspeed.runtime.fp16.loss_scaler\nLossScaler\n)\x81' }))),
    refusal(/one process's share of a training/),
  );
});

const global = (name: string) => `c${name.replace(/\.(?=[^.]+$)/, '\n')}\n`;
const strange: [string, RegExp][] = [
  ['torch._utils._rebuild_qtensor', /quantised/],
  ['torch.QInt8Storage', /quantised/],
  ['torchao.dtypes.AffineQuantizedTensor', /quantised/],
  ['torch._utils._rebuild_sparse_tensor', /sparse/],
  ['torch._utils._rebuild_sparse_csr_tensor', /sparse/],
  ['torch.sparse_coo', /sparse/],
  ['transformer_engine.pytorch.Float8Tensor', /quantised/],
  ['torch.ComplexFloatStorage', /complex/],
  ['torch.complex32', /complex/],
  ['torch.float8_e4m3fn', /float8/],
  ['torch.float4_e2m1fn_x2', /float4/],
  ['torch._utils._rebuild_meta_tensor_no_storage', /meta device/],
  ['torch.distributed.tensor.DTensor', /several processes/],
];

for (const [name, what] of strange) {
  test(`named for what it is: ${name}`, async () => {
    const file = torchZip(dict({ w: global(name) }));
    await assert.rejects(read(file), refusal(new RegExp(`its tensors are .*${what.source}.*\\(${name}\\)`)));
  });
}

test('NumPy arrays in a pickle or an archive, float8 and complex numbers in safetensors', async () => {
  const array = `cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR`;
  await assert.rejects(read(torchZip(dict({ w: array }))), refusal(/NumPy arrays/));
  await assert.rejects(read(torchZip(dict({ model: dict({ w: array }) }))), refusal(/NumPy arrays/));
  await assert.rejects(read(torchZip(`](${array}e`)), refusal(/NumPy arrays/));
  await assert.rejects(read(torchZip(dict({ params: tuple(array) }))), refusal(/NumPy arrays/));
  for (const [dtype, bytes, what] of [
    ['F8_E4M3', 6, /float8/],
    ['F4', 6, /float4/],
    ['I4', 6, /int4/],
    ['C64', 48, /complex/],
  ] as const) {
    const header = JSON.stringify({ w: { dtype, shape: [6], data_offsets: [0, bytes] } });
    const file = Buffer.concat([Buffer.alloc(8), Buffer.from(header), Buffer.alloc(bytes)]);
    file.writeBigUInt64LE(BigInt(header.length));
    await assert.rejects(read(file), refusal(what));
  }
});
