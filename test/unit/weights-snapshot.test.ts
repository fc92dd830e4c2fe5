/** Pickled networks: the state dict and the constructor's arguments come out, impossible networks are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEdmSnapshot } from '../../backend/weights/edm-snapshot.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import {
  dict,
  float32Bytes,
  integer,
  refusal,
  scratchFolder,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
} from './weights/files.ts';

const scratch = scratchFolder();
const storages = { 0: float32Bytes(Array.from({ length: 24 }, (_, i) => i * 1.5 - 7)) };
const w = tensor({ count: 24, shape: [24], strides: [1] });
const first = tensor({ count: 24, shape: [2], strides: [1] });
const other = tensor({ count: 24, offset: 9, shape: [2], strides: [1] });

/** A persistent object, as EDM pickles it. */
function persistent(className: string, attributes: Record<string, string>): string {
  const source = "import os; os.system('touch /tmp/pwned')";
  const meta = { type: text('class'), version: integer(6), module_src: text(source) };
  const all = dict({ ...meta, class_name: text(className), state: dict(attributes) });
  return `ctorch_utils.persistence\n_reconstruct_persistent_obj\n${all}\x85R`;
}

const module = (attributes: Record<string, string>, more: Record<string, string> = {}) =>
  persistent('VPPrecond', { _parameters: dict(attributes), _init_args: tuple(), _init_kwargs: dict({}), ...more });

test('a network with unnamed arguments, a buffer that is not saved, and one that is', async () => {
  const inner = persistent('SongUNet', {
    _parameters: dict({ weight: first, bias: 'N' }),
    _buffers: dict({ filter: other, scratch: other }),
    _non_persistent_buffers_set: `\x8f(${text('scratch')}\x90`,
  });
  const net = module(
    {},
    {
      _modules: dict({ model: inner, none: 'N' }),
      _init_args: tuple(integer(16), integer(3)),
      _init_kwargs: dict({ label_dim: integer(4), channel_mult: tuple(integer(1), integer(2)), M: 'K\x05' }),
    },
  );
  const path = await scratch.write(
    'training-state.pt',
    torchZip(dict({ net, optimizer_state: dict({ m: other }) }), storages),
  );
  const { tensors, config, format } = await loadWeights(path);
  assert.equal(format, 'torch-zip');
  assert.deepEqual([...tensors.keys()], ['model.weight', 'model.filter']);
  assert.deepEqual(config, {
    class: 'VPPrecond',
    img_resolution: 16,
    img_channels: 3,
    label_dim: 4,
    channel_mult: [1, 2],
    M: 5,
  });
});

const networks: [string, string, RegExp][] = [
  ['no constructor arguments', module({ w }, { _init_kwargs: 'N' }), /how it was constructed/],
  ['too many unnamed arguments', module({ w }, { _init_args: tuple(...Array(30).fill('N')) }), /30 unnamed/],
  ['a tensor as a setting', module({ w }, { _init_kwargs: dict({ sigma: w }) }), /setting sigma/],
  ['a setting in itself', module({ w }, { _init_kwargs: `${dict({})}q\x63${text('x')}h\x63s` }), /setting x is nested/],
  ['a parameter that is no tensor', module({ w: integer(1) }), /parameter w is no tensor/],
  ['a module that is none', module({ w }, { _modules: dict({ model: integer(1) }) }), /module model is none/],
  ['a network without parameters', module({}), /no parameters/],
  [
    'a network in itself',
    `${module({ w }, { _modules: `${dict({})}q\x64` })}q\x650h\x64${text('m')}h\x65s0h\x65`,
    /nested without end/,
  ],
  ['no class name', module({ w }).replace('class_name', 'klass_name'), /no class name/],
];

for (const [what, net, message] of networks) {
  test(`refused: ${what}`, async () => {
    const path = await scratch.write('net.pt', torchZip(dict({ ema: net }), storages));
    await assert.rejects(loadWeights(path), refusal(message));
  });
}

test('a network that contains ever more copies of itself is refused soon', async () => {
  let level = module({ w });
  for (let i = 0; i < 40; i++)
    level = module(
      {},
      {
        _modules:
          `${dict({})}${level}q${String.fromCharCode(i)}0` +
          `(${text('a')}h${String.fromCharCode(i)}${text('b')}h${String.fromCharCode(i)}u`,
      },
    );
  const path = await scratch.write('doubling.pt', torchZip(dict({ ema: level }), storages));
  await assert.rejects(loadWeights(path), refusal(/nested without end/));
});

test('a state dict is no EDM snapshot', async () => {
  const content = torchLegacy(dict({ w: tensor({ count: 24, shape: [24], strides: [1] }, 'N') }), [
    ['0', 24, storages[0]],
  ]);
  await assert.rejects(readEdmSnapshot(await scratch.write('state.pkl', content)), refusal(/no persistent network/));
});
