/** What a run learns from: pictures, labels, prompts, pairs of noise and image. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { openImageDataset } from '../../../backend/data/image-dataset.ts';
import { openPairs } from '../../../backend/data/pairs.ts';
import { encodePng } from '../../../backend/data/png.ts';
import { readPromptFile } from '../../../backend/data/prompts/prompt-file.ts';
import { readBytes } from '../../../backend/files/regular.ts';
import { tensorData } from '../../../backend/graph/tensor-data.ts';
import { readForeignSettings, readPictureSettings } from '../../../backend/sampling/picture-text.ts';
import { encodeSafetensors } from '../../../backend/weights/safetensors.ts';
import { idx } from '../../idx.ts';
import type { Dice } from '../dice.ts';
import type { Files } from '../files.ts';
import { damaged } from '../make/bytes.ts';
import { worseJson } from '../make/json.ts';
import { worsePng } from '../make/png.ts';
import { packZip } from '../make/zip.ts';
import { once, type Reader } from '../reader.ts';
import { all } from './together.ts';

const picture = () =>
  once('picture', () =>
    encodePng(
      tensorData(
        [3, 4, 5],
        Float32Array.from({ length: 60 }, (_, i) => i / 30 - 1),
      ),
    ),
  );

async function readDataset(path: string): Promise<void> {
  const data = await openImageDataset(path);
  try {
    await data.batch(Array.from({ length: Math.min(2, data.count) }, (_, i) => i));
  } finally {
    await data.close();
  }
}

function datasetFiles(dice: Dice): Record<string, Uint8Array | string> {
  const files: Record<string, Uint8Array | string> = {};
  const worst = dice.below(4);
  for (let i = 0; i < 3; i++) files[`${i}/img${i}.png`] = i === worst ? worsePng(dice) : picture();
  const labels = {
    labels: [
      ['0/img0.png', 0],
      ['1/img1.png', 2],
      ['2/img2.png', 1],
    ],
  };
  if (dice.chance(0.7)) files['dataset.json'] = dice.chance(0.6) ? worseJson(labels, dice) : JSON.stringify(labels);
  return files;
}

export const datasetFolders: Reader = {
  name: 'dataset',
  read: (folder) => readDataset(folder),
  make: datasetFiles,
};

export const datasetZips: Reader = {
  name: 'dataset-zip',
  read: (folder) => readDataset(`${folder}/data.zip`),
  make(dice) {
    const parts = Object.entries(datasetFiles(dice)).map(([name, content]) => ({
      name,
      content: Buffer.from(content),
      store: dice.chance(0.5),
    }));
    return { 'data.zip': packZip(parts, dice.chance(0.7) ? dice : undefined) };
  },
};

/** Pictures and labels, one of them damaged, packed or packed and then damaged. */
export const idxFolders: Reader = {
  name: 'dataset-idx',
  read: (folder) => readDataset(folder),
  make(dice): Files {
    const whole = [idx([3, 4, 5], new Uint8Array(60)), idx([3], Uint8Array.of(0, 1, 2))].map(Buffer.from);
    const worst = dice.below(3);
    const [images, labels] = whole.map((bytes, i) => {
      const one = i === worst ? damaged(bytes, dice, 16) : bytes;
      if (dice.chance(0.5)) return { end: '', content: one };
      const packed = gzipSync(one);
      return { end: '.gz', content: worst === 2 && dice.chance(0.5) ? damaged(packed, dice) : packed };
    });
    return {
      [`train-images-idx3-ubyte${images!.end}`]: images!.content,
      [`train-labels-idx1-ubyte${labels!.end}`]: labels!.content,
    };
  },
};

const settings = { model: 'builtin:scenes', seeds: ['1'], classes: [1], prompt: null, steps: 1, device: 'auto' };
const graph = {
  3: { class_type: 'KSampler', inputs: { seed: 5, denoise: 1, positive: ['6', 0], negative: ['7', 0] } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a circle' } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: ['6', 0] } },
};
const workflow = {
  nodes: [{ id: 3, type: 'KSampler', inputs: [{ name: 'positive', link: 1 }], widgets_values: [5, '', 3] }],
  links: [[1, 6, 0, 3, 1, 'X']],
};

export const pictures: Reader = {
  name: 'picture',
  read(folder) {
    const png = readBytes(`${folder}/a.png`, 'picture');
    return all(
      () => readPictureSettings(png),
      () => readForeignSettings(png),
    );
  },
  make: (dice) => ({
    'a.png': worsePng(dice, {
      ...(dice.chance(0.5)
        ? { 'dmd.settings': worseJson(settings, dice) }
        : { prompt: worseJson(graph, dice), workflow: worseJson(workflow, dice) }),
      ...(dice.chance(0.2)
        ? {
            parameters: damaged('a circle\nNegative prompt: x\nSteps: 20, Seed: 5, Size: 5x5', dice).toString('latin1'),
          }
        : {}),
      Software: dice.of(['DMD Workbench 1', 'x']),
    }),
  }),
};

const rows = [
  { url: 'http://x', TEXT: 'a red circle', width: 3 },
  { url: 'y', TEXT: 'two\nlines', width: 4 },
];
const coco = {
  images: [{ id: 1 }],
  annotations: [
    { image_id: 1, caption: 'a' },
    { image_id: '2', caption: 'b' },
  ],
};
const tables = [
  'url,TEXT\nx,"a ""quoted"" one"\ny,plain\n',
  'TEXT\turl\na\tb\n',
  'a red circle\na blue square\n',
  'caption;x\nä;1\n',
];

export const prompts: Reader = {
  name: 'prompts',
  read: (folder) =>
    all(
      ...['txt', 'json', 'csv'].flatMap((end) => [
        () => readPromptFile(`${folder}/a.${end}`),
        () => readPromptFile(`${folder}/a.${end}`, 'TEXT'),
      ]),
    ),
  make(dice) {
    const text = (): Buffer => {
      const content = Buffer.from(
        dice.chance(0.5)
          ? worseJson(dice.of<unknown>([rows, coco, ['a', 'b'], { TEXT: { 0: 'a', 1: 'b' } }]), dice)
          : dice.chance(0.3)
            ? rows.map((row) => worseJson(row, dice)).join('\n')
            : damaged(dice.of(tables), dice),
      );
      if (dice.chance(0.1))
        return Buffer.concat([Buffer.from('\ufeff', 'utf16le'), Buffer.from(content.toString('latin1'), 'utf16le')]);
      if (dice.chance(0.03))
        return Buffer.from(dice.of(['"', ',', '\n', '\t', '[', '{"a":', "['", '\r', '""', ' ']).repeat(dice.size(2e5)));
      return content;
    };
    const one = text();
    return dice.chance(0.8)
      ? { 'a.txt': one, 'a.json': one, 'a.csv': one }
      : { 'a.txt': text(), 'a.json': text(), 'a.csv': text() };
  },
};

export const pairSets: Reader = {
  name: 'pairs',
  async read(folder) {
    const set = await openPairs(folder);
    return all(
      () => set.batch([0]),
      () => set.identity(1),
      () => set.verify(),
    );
  },
  make(dice): Files {
    const n = 2;
    const numbers = (dims: number[]) => tensorData(dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));
    const whole = encodeSafetensors([
      ['z', { dtype: 'F32', ...numbers([n, 3, 2, 2]) }],
      ['y', { dtype: 'F32', ...numbers([n, 3, 2, 2]) }],
      ['labels', { dtype: 'F32', ...numbers([n, 2]) }],
    ]);
    const shard = dice.chance(0.4) ? damaged(whole, dice, 300) : whole;
    const sha256 = createHash('sha256')
      .update(dice.chance(0.95) ? shard : whole)
      .digest('hex');
    const manifest = {
      format: 'dmd-pairs-1',
      config: { teacher: 'x', prompts: ['a'] },
      seed: 1,
      shape: [3, 2, 2],
      labelDim: 2,
      count: n,
      shardSize: n,
      shards: [{ count: n, sha256 }],
    };
    return {
      'pairs.json': dice.chance(0.6) ? worseJson(manifest, dice) : JSON.stringify(manifest),
      'pairs-00000.safetensors': shard,
    };
  },
};
