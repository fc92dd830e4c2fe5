/**
 * Makes the sick and well runs anew that the rules are set on and tested with, and keeps their numbers in test/health/runs/:
 * node --import ./test/sources.mjs test/health/record.ts points tuning|test, or images tuning|test TEACHER.safetensors (small-scenes.ts).
 * Each is a few minutes of one core. What a killed call had finished is kept in the file.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { openImages } from './images.ts';
import { pointsRun } from './points.ts';
import { packRuns, unpackRuns } from './recorded-run.ts';
import { type Sickness, sicknesses, testSeeds, tuningSeeds } from './seeds.ts';

const [family, set, teacher] = process.argv.slice(2);
if ((family !== 'points' && family !== 'images') || (set !== 'tuning' && set !== 'test')) {
  throw new Error('record.ts points|images tuning|test [TEACHER.safetensors]');
}
/** What shows in the scale of one batch is made on points alone, and two modes are points. */
const ofImages: ReadonlySet<Sickness> = new Set([
  'well',
  'fake score frozen',
  'learning rate 100 times too high',
  'fake score 10 times too slow',
]);
const file = path.join(import.meta.dirname, 'runs', `${family}-${set}.json.gz`);
const runs = fs.existsSync(file) ? unpackRuns(fs.readFileSync(file)) : {};
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const images = family === 'images' ? await openImages(engine, teacher!) : null;
for (const seed of set === 'tuning' ? tuningSeeds : testSeeds) {
  for (const sickness of sicknesses) {
    const name = `${sickness} ${seed}`;
    if (name in runs || (images && !ofImages.has(sickness))) continue;
    const start = performance.now();
    runs[name] = await (images
      ? images.run({ seed, sickness: sickness as Sickness })
      : pointsRun(engine, { seed, sickness }));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, packRuns(runs));
    console.log(name, Math.round((performance.now() - start) / 1000), 's');
  }
}
await engine.dispose();
