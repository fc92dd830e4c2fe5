/** Weights in every format, as models are opened, listed and looked into. */
import { deflateSync, gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { openModel } from '../../../backend/models/model-file.ts';
import { readEdmSnapshot } from '../../../backend/weights/edm-snapshot.ts';
import { loadWeights } from '../../../backend/weights/load.ts';
import { readSafetensorsHeader } from '../../../backend/weights/safetensors.ts';
import { openStoredArrays } from '../../../backend/weights/safetensors-stored.ts';
import { readTorchFile } from '../../../backend/weights/torch/read.ts';
import { dict, float32Bytes, integer, tensor, text, torchLegacy, torchZip, tuple } from '../../unit/weights/files.ts';
import type { Dice } from '../dice.ts';
import { damaged } from '../make/bytes.ts';
import { worseJson } from '../make/json.ts';
import { instructionsOf, worsePickle } from '../make/pickle.ts';
import { packZip } from '../make/zip.ts';
import { once, ours, type Reader } from '../reader.ts';
import { all } from './together.ts';

const recorded = (name: string) => ours(`test/golden/cases/pickles/${name}`);
const names = [
  'state-zip.bin',
  'checkpoint-zip.bin',
  'state-legacy.bin',
  'ok-handmade.bin',
  'network-snapshot-full.pkl',
];

const read = (folder: string) => {
  const file = `${folder}/weights.bin`;
  return all(
    () => loadWeights(file),
    () => openModel(file),
    () => readTorchFile(file),
    () => readEdmSnapshot(file),
  );
};

/** Any of them under a name that says nothing, damaged. */
export const weightFiles: Reader = {
  name: 'weights',
  read,
  make(dice) {
    const whole = recorded(dice.of(names));
    const file = damaged(whole, dice, dice.chance(0.5) ? 3000 : undefined);
    if (dice.chance(0.02)) return { 'weights.bin': gzipSync(file) };
    if (dice.chance(0.02)) return { 'weights.bin': deflateSync(file) };
    return { 'weights.bin': dice.chance(0.03) ? Buffer.concat([Buffer.from('GGUF\x03\0\0\0'), dice.bytes(60)]) : file };
  },
};

/** The pickle and the storages of a PyTorch file, in a zip that is right or not. */
export const torchZips: Reader = {
  name: 'torch-zip',
  read,
  make(dice) {
    const content = once('state-zip', () => unzipSync(recorded('state-zip.bin')));
    const parts = Object.entries(content).map(([name, bytes]) => ({
      name,
      content: dice.chance(name.endsWith('data.pkl') ? 0.7 : 0.1) ? damaged(bytes, dice) : bytes,
      store: !dice.chance(0.02),
    }));
    return { 'weights.bin': packZip(parts, dice.chance(0.5) ? dice : undefined) };
  },
};

/** Pickles that are well formed, of tensors and instructions that are not what they claim. */
export const pickles: Reader = {
  name: 'pickle',
  read,
  make(dice) {
    const state = dict(
      Object.fromEntries(Array.from({ length: 1 + dice.below(4) }, (_, i) => [`w${i}.weight`, anyValue(dice, 0)])),
    );
    const root = dice.chance(0.3)
      ? dict({ [dice.of(['model', 'ema', 'state_dict', 'optimizer', 'shadow_params'])]: state })
      : state;
    const data = float32Bytes([1, 2, 3, 4, 5, 6, 7, 8]);
    if (dice.chance(0.4)) return { 'weights.bin': torchLegacy(root, [['0', dice.of([8, 8, 8, 0, 1e9]), data]]) };
    return { 'weights.bin': torchZip(root, { 0: data }) };
  },
};

/** Real files, their instructions changed one by one. */
export const picklePrograms: Reader = {
  name: 'pickle-program',
  read,
  make(dice) {
    const name = dice.of(['state-zip', 'checkpoint-zip', 'state-legacy', 'network-snapshot-full']);
    if (name === 'network-snapshot-full') return { 'weights.bin': worsePickle(recorded(`${name}.pkl`), dice) };
    if (name === 'state-legacy') return { 'weights.bin': worseLegacy(recorded(`${name}.bin`), dice) };
    const content = once(name, () => unzipSync(recorded(`${name}.bin`)));
    const parts = Object.entries(content).map(([part, bytes]) => ({
      name: part,
      content: part.endsWith('data.pkl') ? worsePickle(bytes, dice) : bytes,
      store: true,
    }));
    return { 'weights.bin': packZip(parts) };
  },
};

/** Its pickles are number, version, facts, state and keys, one behind the other, and then numbers. */
function worseLegacy(file: Buffer, dice: Dice): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let i = 0; i < 5; i++) {
    const whole = Buffer.concat(instructionsOf(file.subarray(at)));
    at += whole.length;
    pieces.push(i >= (dice.chance(0.1) ? 0 : 3) && dice.chance(0.7) ? worsePickle(whole, dice) : whole);
  }
  return Buffer.concat([...pieces, file.subarray(at)]);
}

/** Checkpoints as training programs save them, with a tensor or two that are not what they seem, or sets that are hard to tell apart. */
export const checkpointTrees: Reader = {
  name: 'checkpoint-tree',
  read,
  make(dice) {
    const storages: Record<string, Uint8Array> = {};
    const root = aTree(dice, storages, 0);
    return { 'weights.bin': torchZip(root, storages) };
  },
};

const treeKeys = [
  ...[
    'model',
    'ema',
    'generator',
    'generator_ema',
    'state_dict',
    'optimizer',
    'module',
    'shadow_params',
    'target_model',
  ],
  ...['', '__proto__', 'constructor', 'a.b', '0', 'x'.repeat(500), 'model_ema', 'network'],
];
const tensorKeys = [
  'weight',
  'bias',
  'module.weight',
  '_orig_mod.weight',
  'conv.weight',
  'n_averaged',
  '',
  '__proto__',
];

function aTree(dice: Dice, storages: Record<string, Uint8Array>, depth: number): string {
  const entries: Record<string, string> = {};
  for (let i = dice.below(4) + 1; i > 0; i--) {
    if (depth > 2 || dice.chance(0.5)) entries[dice.of(tensorKeys)] = soundTensor(dice, storages);
    else entries[dice.of(treeKeys)] = aTree(dice, storages, depth + 1);
  }
  if (dice.chance(0.1)) entries.shadow_params = `](${soundTensor(dice, storages)}${soundTensor(dice, storages)}e`;
  const made = dict(entries);
  // In itself, or as the one that torch.nn.Module.state_dict gives, with its metadata.
  if (dice.chance(0.05)) return `${made}q\x63X${'\x04\0\0\0'}selfh\x63s`;
  return dice.chance(0.2) ? `ccollections\nOrderedDict\n)R(${made.slice(2, -1)}u` : made;
}

const storageTypes = {
  FloatStorage: 4,
  HalfStorage: 2,
  BFloat16Storage: 2,
  LongStorage: 8,
  BoolStorage: 1,
  DoubleStorage: 8,
};

/** Mostly as it should be, in a storage of its own; else with one number too large, too small, or another's storage. */
function soundTensor(dice: Dice, storages: Record<string, Uint8Array>): string {
  const shape = dice.of([[8], [2, 4], [4, 2], [2, 2, 2], [1, 8], [0], [0, 5], []]);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const odd = dice.chance(0.08) ? dice.below(5) : -1;
  const changed = (values: number[]) => values.map((value, i) => (i === 0 ? dice.of(sizes) : value));
  const type = dice.chance(0.7) ? 'FloatStorage' : dice.of(Object.keys(storageTypes) as (keyof typeof storageTypes)[]);
  const count = Object.keys(storages).length;
  const key = String(odd === 4 && count > 0 ? dice.below(count) : count);
  storages[key] ??= Buffer.alloc(8 * storageTypes[type], dice.chance(0.02) ? 0xff : 0x3c);
  return tensor({
    ...{ key, type: `torch\n${type}` },
    count: odd === 0 ? dice.of(sizes) : 8,
    offset: odd === 1 ? dice.of(sizes) : 0,
    shape: odd === 2 ? changed(shape) : shape,
    strides: odd === 3 ? changed(strides) : dice.chance(0.1) ? strides.toReversed() : strides,
  });
}

const sizes = [0, 1, 2, 8, -1, 255, 65_536, 2 ** 31 - 1];
const classes = [
  'collections\nOrderedDict',
  'torch\nFloatStorage',
  'torch._utils\n_rebuild_parameter',
  'numpy.core.multiarray\n_reconstruct',
  'numpy.core.multiarray\nscalar',
  'numpy\ndtype',
  'builtins\nlist',
  'builtins\nset',
  'builtins\nbytearray',
  '_codecs\nencode',
  'os\nsystem',
  'torch.nn.modules.linear\nLinear',
  'argparse\nNamespace',
  'copyreg\n_reconstructor',
];

/** Instructions that leave one value. */
function anyValue(dice: Dice, depth: number): string {
  const inner = () => anyValue(dice, depth + 1);
  switch (depth > 5 ? dice.below(5) : dice.below(14)) {
    case 0:
      return dice.of([
        'N',
        '\x88',
        '\x89',
        ')',
        ']',
        '}',
        'K\x07',
        text('x'),
        integer(dice.of(sizes)),
        'G?\xf0\0\0\0\0\0\0',
        'C\x03abc',
      ]);
    case 1:
    case 2:
    case 3:
      return dice.chance(0.8)
        ? soundTensor(dice, {})
        : tensor({
            count: dice.of([8, 8, 8, ...sizes]),
            offset: dice.of([0, 0, ...sizes]),
            shape: someSizes(dice),
            strides: someSizes(dice),
          });
    case 4:
      return `c${dice.of(classes)}\n`;
    case 5:
      return dict({ a: inner(), [dice.of(['a', 'b', '__proto__'])]: inner() });
    case 6:
      return tuple(inner(), inner());
    case 7:
      return `](${inner()}${inner()}e`;
    case 8:
      return `c${dice.of(classes)}\n${tuple(inner(), inner())}R`;
    case 9:
      return `c${dice.of(classes)}\n)\x81${inner()}b`;
    case 10:
      return `${inner()}\x94h${String.fromCharCode(dice.below(4))}`.replace(/h.$/s, 'q\x01h\x01\x86');
    case 11: {
      // A list of a list of a list, each held twice: 2^n values for whoever walks them.
      const levels = 1 + dice.size(60);
      return `]${Array.from({ length: levels }, (_, i) => `q${String.fromCharCode(i + 1)}](h${String.fromCharCode(i + 1)}h${String.fromCharCode(i + 1)}e`).join('')}`;
    }
    case 12:
      return `${']'.repeat(dice.size(5000) + 1)}${'a'.repeat(0)}`;
    default:
      return `${tuple(text('storage'), `c${dice.of(classes)}\n`, text('0'), text('cpu'), integer(dice.of(sizes)))}Q`;
  }
}

function someSizes(dice: Dice): number[] {
  if (dice.chance(0.4)) return dice.of([[2, 4], [4, 2], [8], [], [2, 2, 2], [1]]);
  return Array.from({ length: dice.size(dice.chance(0.05) ? 200 : 5) }, () => dice.of(sizes));
}

/** Headers that are JSON and have the length they say, over data that is theirs or not. */
export const safetensors: Reader = {
  name: 'safetensors',
  read: (folder) => {
    const file = `${folder}/weights.safetensors`;
    return all(
      () => loadWeights(file),
      () => openModel(file),
      () => readSafetensorsHeader(file),
      async () => {
        const stored = await openStoredArrays(file);
        for (const name of stored.names.slice(0, 3)) {
          if (!stored.shape(name)?.includes(0)) await stored.read(name, 0, 1);
        }
      },
    );
  },
  make(dice) {
    if (dice.chance(0.2)) return { 'weights.safetensors': damaged(recorded('state.expected.safetensors'), dice, 900) };
    const whole = dice.chance(0.2)
      ? ours('test/golden/cases/pickles/network-snapshot.expected.safetensors')
      : recorded('state.expected.safetensors');
    const length = Number(whole.readBigUInt64LE(0));
    const header: Record<string, unknown> = JSON.parse(whole.toString('utf8', 8, 8 + length));
    if (dice.chance(0.5)) header.__metadata__ = metadata(dice);
    const json = Buffer.from(worseJson(header, dice));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(dice.chance(0.95) ? json.length : dice.size(2 ** 40)));
    return { 'weights.safetensors': Buffer.concat([head, json, whole.subarray(8 + length)]) };
  },
};

/** As this program writes it, or worse. */
export function metadata(dice: Dice): Record<string, string> {
  const network = {
    ...{
      class: 'EDMPrecond',
      img_resolution: 8,
      img_channels: 3,
      label_dim: 3,
      model_type: 'SongUNet',
      model_channels: 8,
    },
    ...{
      channel_mult: [1],
      num_blocks: 1,
      attn_resolutions: [],
      dropout: 0,
      channel_mult_noise: 1,
      channel_mult_emb: 4,
    },
  };
  return {
    'dmd.network': dice.chance(0.7) ? worseJson(network, dice) : JSON.stringify(network),
    'dmd.role': dice.of(['generator', 'teacher', 'x']),
    'dmd.sigma': dice.of(['80', '-1', '1e999', 'x']),
  };
}
