/**
 * Makes the healthy runs that are not of the two sets: other data, other weights of Table 2. They join those of run folders in
 * test/health/runs/healthy-whole.json.gz (keep.ts): node --import ./test/sources.mjs test/health/healthy.ts TEACHER.safetensors
 */
import fs from 'node:fs';
import path from 'node:path';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { openImages } from './images.ts';
import { pointsRun, ring } from './points.ts';
import { packRuns, type RecordedRun, unpackRuns } from './recorded-run.ts';

const file = path.join(import.meta.dirname, 'runs', 'healthy-whole.json.gz');
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const images = await openImages(engine, process.argv[2]!);
const sickness = 'well';
const made: [string, () => Promise<RecordedRun>][] = [
  ['ring of five modes', () => pointsRun(engine, { seed: 302, sickness, mixture: ring })],
  ['two modes, weight sigma/alpha', () => pointsRun(engine, { seed: 303, sickness, weight: 'sigma/alpha' })],
  ['two modes, weight sigma^3/alpha', () => pointsRun(engine, { seed: 304, sickness, weight: 'sigma^3/alpha' })],
  ['8 x 8 scenes', () => images.run({ seed: 301, sickness })],
  ['8 x 8 scenes, weight sigma/alpha', () => images.run({ seed: 305, sickness, weight: 'sigma/alpha' })],
  ['two modes', () => pointsRun(engine, { seed: 301, sickness })],
];
for (const [name, run] of made) {
  const before = fs.existsSync(file) ? unpackRuns(fs.readFileSync(file)) : {};
  if (name in before) continue;
  const recorded = await run();
  // Others may have been added meanwhile.
  const now = fs.existsSync(file) ? unpackRuns(fs.readFileSync(file)) : {};
  fs.writeFileSync(file, packRuns({ ...now, [name]: recorded }));
  console.log(name);
}
await engine.dispose();
