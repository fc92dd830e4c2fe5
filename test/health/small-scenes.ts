/**
 * Scenes of 8 x 8 pixels as a folder of pictures, and the config of their teacher, so that a distillation of a real image network
 * takes seconds: node --import ./test/sources.mjs test/health/small-scenes.ts FOLDER, then dmd teach FOLDER/teacher.dmd.json.
 */
import fs from 'node:fs';
import path from 'node:path';
import { encodePng } from '../../backend/data/png.ts';
import { sceneBatch } from '../../backend/data/scenes/scene.ts';

const size = 8;
const count = 4000;

const config = {
  kind: 'teach',
  name: 'small-scenes-teacher',
  ...{ seed: 1, device: 'cpu', threads: 1 },
  data: { source: 'pictures' },
  network: {
    ...{ class: 'EDMPrecond', model_type: 'SongUNet', img_resolution: size, img_channels: 3, label_dim: 0 },
    ...{ model_channels: 16, channel_mult: [1, 2], num_blocks: 1, attn_resolutions: [], dropout: 0 },
  },
  ...{ iterations: 1500, batch: 16, ema: 0.99 },
  optimizer: { lr: 2e-3, weightDecay: 0, warmup: 100, clip: 10, decay: 'cosine' },
  record: { samplesEvery: 0, histogramsEvery: 0 },
  checkpoint: { every: 0 },
};

function write(folder: string): void {
  const pictures = path.join(folder, 'pictures');
  fs.mkdirSync(pictures, { recursive: true });
  const indices = Array.from({ length: count }, (_, i) => i);
  const { images } = sceneBatch(7, indices, size);
  const numbers = 3 * size * size;
  for (const i of indices) {
    const image = { shape: [3, size, size], data: images.data.slice(i * numbers, (i + 1) * numbers) };
    fs.writeFileSync(path.join(pictures, `${String(i).padStart(5, '0')}.png`), encodePng(image));
  }
  fs.writeFileSync(path.join(folder, 'teacher.dmd.json'), JSON.stringify(config, null, 2));
}

write(process.argv[2] ?? 'small-scenes');
