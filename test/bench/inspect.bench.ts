/**
 * How long a full inspection takes: one image of the built-in model, x = G(z), both scores and the gradient at one noise level and at
 * sixteen more, from a checkpoint. Prints the first, with teacher, checkpoint and programs to open, and the median of the next.
 *
 *     npm run bench -- inspect
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import type { InspectionQuery } from '../../backend/protocol/inspection.ts';
import { RunSubject } from '../../backend/runs/inspect/run-subject.ts';
import { RunControl } from '../../backend/runs/loop/control.ts';
import { trainingRun } from '../../backend/runs/loop/training-run.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-inspect-bench-'));
const config = parseConfig(
  JSON.stringify({
    ...{ kind: 'distill', teacher: 'builtin:scenes', device: 'cpu', iterations: 1, batch: 1 },
    regression: { batch: 1, pairs: { count: 1, steps: 1 } },
    record: { samplesEvery: 0, fieldsEvery: 0, probeEvery: 0, histogramsEvery: 0 },
  }),
  'bench',
);
let folder = '';
await trainingRun({ start: { config, root }, set: [], half: false }, new RunControl(), (message) => {
  if (message.type === 'opened') folder = message.folder;
  if (message.type === 'failed') throw new Error(message.error.message);
});

const strip = Array.from({ length: 16 }, (_, i) => 20 + 64 * i);
const query = (seed: number): InspectionQuery => ({
  ...{ sample: { kind: 'seed', seed }, condition: null, level: { by: 'index', value: 500 }, strip, stepSize: 0.1 },
});
const timed = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
let subject: RunSubject | undefined;
const first = await timed(async () => {
  subject = await RunSubject.open(folder);
  await subject.inspect(1, query(0), {});
});
const times: number[] = [];
const before = process.cpuUsage();
for (let seed = 1; seed <= 15; seed++) times.push(await timed(() => subject!.inspect(1, query(seed), {})));
const { user, system } = process.cpuUsage(before);
times.sort((a, b) => a - b);
await subject!.dispose();
fs.rmSync(root, { recursive: true });
console.log(`${os.availableParallelism()} cores: the first inspection ${(first / 1000).toFixed(2)} s,`);
console.log(`then ${(times[7]! / 1000).toFixed(2)} s (median of 15; least ${(times[0]! / 1000).toFixed(2)} s)`);
console.log(`processor time of one: ${((user + system) / 15e6).toFixed(2)} s, over all cores`);
