/**
 * Draws docs/pictures/figure-3-*.png from the first seed and prints the table of docs/figure-3.md:
 *
 *   node --import ./test/sources.mjs test/integration/figure3/pictures.ts [seed ...]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { encodePng } from '../../../backend/data/png.ts';
import { Plot } from '../../../backend/data/points/plot.ts';
import { createOnnxRuntimeEngine } from '../../../backend/engine/onnxruntime/engine.ts';
import { blobGenerator, cases, distill, mixture, samplePoints, teacherNoise } from './experiment.ts';
import { fixedPairs, samplerPoints } from './pairs.ts';
import { describeModes, type ModeReport, verdictOf } from './report.ts';

const folder = new URL('../../../docs/pictures/', import.meta.url);
const view = { left: -1.2, top: 0.7, width: 2.4, height: 1.15, pixelsPerUnit: 190 };
const [gray, orange, blue] = [
  [0.35, 0.35, 0.35],
  [0.95, 0.35, -0.35],
  [-0.75, -0.1, 0.65],
] as const;
const drawn = 1000;

const { positionals } = parseArgs({ allowPositionals: true });
const seeds = positionals.length > 0 ? positionals.map(Number) : [1];
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
await mkdir(folder, { recursive: true });

console.log('| seed | loss | nearest mode: share, offset, spread | other mode: share, offset, spread | outcome |');
console.log('|---|---|---|---|---|');
for (const seed of seeds) {
  const z = teacherNoise(seed);
  const pairs = fixedPairs(seed, z, await samplerPoints(engine, mixture, z));
  const generator = await blobGenerator(engine, seed);
  const start = await samplePoints(engine, generator, seed, drawn);
  for (const which of cases) {
    const weights = await distill(engine, { seed, case: which, generator, pairs });
    const points = await samplePoints(engine, weights, seed, 2000);
    const modes = describeModes(points, mixture);
    console.log(`| ${[seed, which, ...modes.map(cell), verdictOf(modes).kind].join(' | ')} |`);
    if (seed === seeds[0]) await draw(which, seed, start, points);
  }
}
await engine.dispose();

function cell({ share, offset, narrow, wide }: ModeReport): string {
  const percent = `${(100 * share).toFixed(1)} %`;
  return share === 0 ? percent : `${percent}, ${offset.toFixed(2)}, ${narrow.toFixed(2)}..${wide.toFixed(2)}`;
}

async function draw(which: string, seed: number, start: Float32Array, points: Float32Array): Promise<void> {
  const plot = new Plot(view);
  for (const deviations of [1, 2, 3]) plot.outline(mixture, deviations, gray);
  plot.points(start, 1.5, orange, 0.25);
  plot.points(points.subarray(0, 2 * drawn), 1.5, blue, 0.6);
  const file = new URL(`figure-3-${which.replaceAll(' ', '-')}.png`, folder);
  await writeFile(file, encodePng(plot.image, { Title: `Figure 3, ${which}`, Seed: String(seed) }));
}
