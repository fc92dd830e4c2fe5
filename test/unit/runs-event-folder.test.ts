/** Event files of PyTorch's own writer (test/golden/record/summary_writer.py) as a run: in the list, in the monitor's answers, as they grow. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { decodePng } from '../../backend/data/png.ts';
import * as rpc from '../../backend/protocol/rpc/index.ts';
import { resumeRun } from '../../backend/protocol/rpc/runs.ts';
import { examine } from '../../backend/runs/health.ts';
import { uniform } from '../random.ts';
import { BackendInProcess } from '../webview/monitor/backend.ts';

const recorded = path.resolve('test/golden/events/torch');
const [name] = fs.readdirSync(recorded) as [string];
const backend = new BackendInProcess();
after(() => backend.end());

function scratch(): { root: string; folder: string; file: string } {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-event-folder-'));
  const folder = path.join(root, 'Nov29_12-00-00_host');
  fs.mkdirSync(folder);
  return { root, folder, file: path.join(folder, name) };
}

test('it is in the list, with its curves, pictures and nothing that it is not', async () => {
  const { root, folder, file } = scratch();
  fs.mkdirSync(path.join(root, 'nothing'));
  fs.copyFileSync(path.join(recorded, name), file);
  const [record, ...others] = await backend.request(rpc.watchRuns, { roots: [root] });
  assert.deepEqual(others, []);
  assert.deepEqual([record!.folder, record!.state, record!.kind, record!.error], [folder, 'running', null, null]);
  assert.match(record!.createdAt!, /^20\d\d-/);

  const overview = await backend.request(rpc.openRun, { folder });
  assert.deepEqual(overview.tags, ['loss/fake', 'loss/generator']);
  assert.deepEqual(overview.samples, [0, 10, 20, 30, 40]);
  assert.deepEqual(overview.warnings, []);
  const all = { range: null, stretches: 100, smoothing: 0 };
  const drawn = await backend.request(rpc.drawCurves, { folder, tags: overview.tags, ...all });
  const [fake, generator] = drawn.map(({ raw }) => raw);
  const steps = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45];
  assert.deepEqual([...fake!.steps], steps);
  assert.deepEqual(
    [...fake!.values],
    steps.map((step) => Math.fround(0.5 + 0.01 * step)),
  );
  assert.deepEqual([...generator!.values], [...steps.map((step) => Math.fround(2 / (step + 1))), Number.NaN]);
  const { png } = await backend.request(rpc.readSamples, { folder, step: 20 });
  const { shape, data } = decodePng(png);
  assert.deepEqual(shape, [3, 8, 12]);
  assert.ok(Math.abs(data[0]! - (2 * 0.4 - 1)) < 0.01 && data[96] === -1, 'red is 20 of 50, green nothing');
  await assert.rejects(() => backend.request(rpc.readSamples, { folder, step: 5 }), /has no samples of step 5/);
});

test('what grows is told: new values, new pictures', async () => {
  const { folder, file } = scratch();
  const bytes = fs.readFileSync(path.join(recorded, name));
  fs.writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length * (0.3 + 0.4 * uniform()))));
  const first = await backend.request(rpc.openRun, { folder });
  const told: rpc.LiveEvent[] = [];
  const listening = backend.onNotification(rpc.runLive, ({ id, event }) => id === 'grows' && told.push(event));
  const wants = { steps: true, records: true, notes: true, probe: false };
  await backend.request(rpc.followRun, { id: 'grows', folder, wants });
  fs.appendFileSync(file, bytes.subarray(fs.statSync(file).size));
  const end = Date.now() + 10_000;
  const seen = () => told.flatMap((event) => (event.type === 'scalars' ? event.points.map(({ step }) => step) : []));
  while (!seen().includes(50) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  listening.dispose();
  await backend.request(rpc.unfollowRun, { id: 'grows' });
  assert.ok(seen().includes(50), JSON.stringify(told));
  const pictures = told.flatMap((event) => (event.type === 'recorded' ? [event.step] : []));
  assert.deepEqual([...first.samples, ...pictures], [0, 10, 20, 30, 40]);
});

test('it is looked at only: neither resumed nor commanded, and said why', async () => {
  const { folder, file } = scratch();
  fs.copyFileSync(path.join(recorded, name), file);
  await assert.rejects(() => backend.request(resumeRun, { folder, set: [] }));
  await assert.rejects(() => backend.request(rpc.compareConfigs, { folders: [folder] }), /config/);
  assert.deepEqual(fs.readdirSync(folder), [name], 'nothing was written there');
  await assert.rejects(() => backend.request(rpc.openRun, { folder: path.dirname(folder) }), /not a run folder/);
});

test('dmd_record.py: its fields are read as a run has them, and judged', async (t) => {
  const named = process.env.DMD_TEST_PYTHON;
  const candidates = named ? [path.join(named, 'bin', 'python3'), named, 'python3'] : ['python3'];
  const python = candidates.find((one) => spawnSync(one, ['-c', 'import numpy']).status === 0);
  if (!python) return t.skip('no Python with NumPy (pip install numpy, or set DMD_TEST_PYTHON)');
  const { folder, file } = scratch();
  fs.copyFileSync(path.join(recorded, name), file);
  const script = path.resolve('test/golden/record/record_fields.py');
  const run = spawnSync(python, [script, folder, path.resolve('media/python')], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  const printed = JSON.parse(run.stdout) as { x: number[]; grad: number[]; random: boolean; refused: string };
  const overview = await backend.request(rpc.openRun, { folder });
  assert.deepEqual(overview.fields, { training: [10, 20, 30, 40, 50], probe: [10], stop: [] });
  const { tensors } = await backend.request(rpc.readFields, { folder, kind: 'training', step: 20 });
  const of = (wanted: string) => tensors.find((tensor) => tensor.name === wanted)!;
  assert.deepEqual(of('x').shape, [4, 3, 2, 2]);
  assert.deepEqual([...of('x').data], printed.x.map(Math.fround));
  assert.deepEqual([...of('grad').data], printed.grad.map(Math.fround));
  assert.equal(printed.random, true, 'the random state is what it was');
  assert.match(printed.refused, /dmd_record: grad is \(4, 3, 2, 1\), not \(4, 3, 2, 2\)/);
  // The gradient of the script is 100 times too large.
  const [verdict] = examine(folder).verdicts.filter(({ rule }) => rule === 'gradient-scale');
  assert.match(verdict?.statement ?? '', /wrong scale: it is on average \d/);
});
