/**
 * The built backend with real runs: started, watched, followed, commanded, resumed; a run outlives its backend and is found
 * by the next one, and one that was started in a terminal shows up the same way.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../backend/protocol/errors.ts';
import * as rpc from '../../backend/protocol/rpc/index.ts';
import { startBackend } from '../unit/server/connect.ts';
import { Heard, scratchFolder } from '../unit/server/run-folders.ts';
import { curves, distillConfig, tinyTeacher } from '../unit/training/tiny.ts';

const root = scratchFolder();
const file = path.join(root, 'tiny.dmd.json');
const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const pids = new Set<number>();
const record = { samplesEvery: 5, probeEvery: 5 };
const text = JSON.stringify({
  ...distillConfig(await tinyTeacher(root), { iterations: 1_000_000, record }),
  name: undefined,
});
fs.writeFileSync(file, text);

after(() => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  }
  fs.rmSync(root, { recursive: true, force: true });
});

/** A backend with everything it tells. */
async function backend() {
  const started = await startBackend();
  pids.add(started.child.pid!);
  const records = new Heard<rpc.RunRecord>();
  const live = new Heard<rpc.LiveEvent>();
  started.client.on(rpc.runChanged, (record) => {
    if (record.process) pids.add(record.process.pid);
    records.add(record);
  });
  const beside = new Heard<rpc.LiveEvent>();
  started.client.on(rpc.runLive, ({ id, event }) => (id === 'beside' ? beside : live).add(event));
  return { ...started, records, live, beside };
}

const stepsOf = (live: Heard<rpc.LiveEvent>) =>
  live.all.flatMap((event) => (event.type === 'scalars' ? event.points.map(({ step }) => step) : []));

test('from a config to a run that is followed, paused, stopped and resumed; its numbers are those of its folder', async () => {
  const { client, records, live, beside, exited } = await backend();
  await client.request(rpc.watchRuns, { roots: [root] });
  const { folder } = await client.request(rpc.startRun, { text, file, root, set: ['seed=3'] });
  assert.match(path.basename(folder), /-tiny$/, 'named after its file');
  const wants = { steps: true, records: true, notes: true, probe: false };
  await client.request(rpc.followRun, { id: 'one', folder, wants: { ...wants, probe: true } });
  await client.request(rpc.followRun, { id: 'beside', folder, wants });
  await records.until(
    (record) => record.folder === folder && record.state === 'running' && record.step >= 5,
    'progress',
  );
  const probe = await live.until((event) => event.type === 'probe', 'a probe');
  assert.ok(probe.type === 'probe');
  assert.deepEqual(probe.fields.tensors.find(({ name }) => name === 'x')?.shape.slice(1), [3, 8, 8]);
  await live.until((event) => event.type === 'recorded' && event.kind === 'samples' && event.step >= 5, 'a picture');

  await beside.until((event) => event.type === 'scalars', 'steps to the other one');
  assert.ok(!beside.all.some(({ type }) => type === 'probe'), 'which does not want the probe');
  await client.request(rpc.unfollowRun, { id: 'beside' });
  const { step: last, path: none } = await client.request(rpc.commandRun, { folder, command: 'pause' });
  const paused = await records.until(({ state }) => state === 'paused', 'the pause');
  assert.deepEqual([last, none], [paused.step, null]);
  await live.once(() => (stepsOf(live).includes(last) ? true : undefined), 'the one that stayed to hear the last step');
  const checkpoint = await client.request(rpc.commandRun, { folder, command: 'checkpoint' });
  assert.equal(checkpoint.step, last);
  assert.ok(fs.existsSync(path.join(checkpoint.path!, 'manifest.json')));
  const held = await client.request(rpc.listTensors, { folder, params: {} });
  // Which it has also in the middle of an iteration.
  const { name, shape } = held.find((one) => one.name === 'training/muReal')!;
  assert.deepEqual(shape.slice(1), [3, 8, 8]);
  const { tensor } = await client.request(rpc.readTensor, { folder, params: { name, from: 1 } });
  assert.deepEqual([tensor.shape, tensor.data.length], [[shape[0]! - 1, 3, 8, 8], (shape[0]! - 1) * 192]);
  assert.ok(tensor.data instanceof Float32Array && tensor.data.every((value) => value !== 0));
  await client.request(rpc.annotateRun, { folder, name: 'The first', tags: ['try'] });
  await records.until(({ name, tags }) => name === 'The first' && tags.includes('try'), 'its name');
  await client.request(rpc.commandRun, { folder, command: 'resume' });
  await records.until(({ state, step }) => state === 'running' && step > paused.step, 'going on');
  await client.request(rpc.commandRun, { folder, command: 'stop' });
  const stopped = await records.until(({ state, process }) => state === 'stopped' && !process, 'the end');
  await assert.rejects(
    client.request(rpc.commandRun, { folder, command: 'pause' }),
    (error) => error instanceof UserError && /no process works in/.test(error.message),
  );

  const overview = await client.request(rpc.openRun, { folder });
  assert.equal(overview.record.step, stopped.step);
  assert.equal(JSON.parse(overview.config).seed, 3);
  const all = { range: null, stretches: 10_000, smoothing: 0 };
  const found = await client.request(rpc.drawCurves, { folder, tags: overview.tags, ...all });
  const expected = curves(folder);
  assert.ok(expected.size > 5);
  for (const [tag, points] of expected) {
    const curve = found.find((candidate) => candidate.tag === tag)?.raw;
    assert.deepEqual(
      [...curve!.steps].map((step, i) => [step, curve!.values[i]]),
      points,
      tag,
    );
  }
  await live.once(() => (stepsOf(live).includes(stopped.step) ? true : undefined), 'the last step');
  const told = new Set(stepsOf(live));
  const missing = [...told].filter((step) => step > Math.min(...told) && !told.has(step - 1));
  assert.deepEqual(missing, [], 'every step from the first one told');
  const first = overview.samples.find((step) => step > 0)!;
  const { png } = await client.request(rpc.readSamples, { folder, step: first });
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')]);
  const fields = await client.request(rpc.readFields, { folder, kind: 'probe', step: overview.fields.probe[0]! });
  assert.ok(fields.tensors.some(({ name }) => name === 'muReal'));

  await client.request(rpc.resumeRun, { folder, set: [] });
  await records.once(
    () => records.all.findLast(({ state, step }) => state === 'running' && step > stopped.step),
    'going on from the checkpoint',
  );
  await client.request(rpc.commandRun, { folder, command: 'stop' });
  await records.once(() => (records.all.at(-1)?.state === 'stopped' ? true : undefined), 'the second end');
  await client.request(rpc.shutdown, {});
  assert.deepEqual(await exited, [0, null]);
});

test('a run outlives a backend that is killed; the next one finds it, follows it and stops it', async () => {
  const first = await backend();
  await first.client.request(rpc.watchRuns, { roots: [root] });
  const { folder } = await first.client.request(rpc.startRun, { text, file, root, set: [] });
  const running = await first.records.until((record) => record.folder === folder && record.step > 0, 'progress');
  first.child.kill('SIGKILL');
  await first.exited;

  const second = await backend();
  const list = await second.client.request(rpc.watchRuns, { roots: [root] });
  const found = list.find((record) => record.folder === folder);
  assert.deepEqual([found?.state, found?.process], ['running', { pid: running.process!.pid, reachable: true }]);
  const wants = { steps: true, records: true, notes: true, probe: false };
  await second.client.request(rpc.followRun, { id: 'one', folder, wants });
  await second.live.until((event) => event.type === 'scalars', 'a step');
  await second.client.request(rpc.unfollowRun, { id: 'one' });
  await second.client.request(rpc.commandRun, { folder, command: 'stop' });
  await second.records.until((record) => record.folder === folder && record.state === 'stopped', 'the end');
  await second.client.request(rpc.shutdown, {});
  await second.exited;
});

test('a run that was started in a terminal shows up, takes commands, and is gone when it is deleted', async () => {
  const { client, records, exited } = await backend();
  await client.request(rpc.watchRuns, { roots: [root] });
  const removed = new Heard<string>();
  client.on(rpc.runRemoved, ({ folder }) => removed.add(folder));
  const args = [dmd, 'distill', file, '--name', 'from a terminal', '--out', root];
  const terminal = spawn(process.execPath, args, { stdio: 'ignore' });
  pids.add(terminal.pid!);
  const ended = once(terminal, 'exit');
  const named = (record: rpc.RunRecord) => record.folder.endsWith('from-a-terminal');
  const record = await records.until((candidate) => named(candidate) && candidate.step > 0, 'the run');
  assert.deepEqual(record.process, { pid: terminal.pid, reachable: true });
  await client.request(rpc.commandRun, { folder: record.folder, command: 'stop' });
  await ended;
  await records.until((candidate) => named(candidate) && candidate.state === 'stopped', 'the end');
  fs.rmSync(record.folder, { recursive: true });
  assert.equal(await removed.until(() => true, 'the removal'), record.folder);
  await client.request(rpc.shutdown, {});
  await exited;
});

test('a start that cannot be is an error with its reason, and leaves nothing behind', async () => {
  const { client, exited } = await backend();
  const before = fs.readdirSync(root);
  const start = (change: object) =>
    client.request(rpc.startRun, { text: JSON.stringify({ ...JSON.parse(text), ...change }), file, root, set: [] });
  await assert.rejects(
    start({ teacher: 'none.pkl' }),
    (error) => error instanceof UserError && /none\.pkl/.test(error.message),
  );
  await assert.rejects(start({ batch: 0 }), (error) => error instanceof UserError && error.kind === 'config');
  assert.deepEqual(fs.readdirSync(root), before);
  await client.request(rpc.shutdown, {});
  await exited;
});
