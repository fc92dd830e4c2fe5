/**
 * What a run depends on is part of it: with other content a resume is refused, whatever the kind of run, before anything is
 * written; the command that the refusal names goes on on purpose, and is noted.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { writePairs } from '../../backend/data/pairs.ts';
import { fileInput } from '../../backend/models/input-file.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';
import { encodeManifest } from '../../backend/runs/checkpoints/checkpoint-manifest.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { startRunProcess } from '../../backend/runs/live/start.ts';
import { edit, refusedThenTaken, wordsOf } from './training/identity.ts';
import { distillConfig, labelDim, runHere, scratch, teachConfig, tinyTeacher } from './training/tiny.ts';

async function pairsOf(folder: string, value: number): Promise<void> {
  fs.rmSync(folder, { recursive: true, force: true });
  const numbers = (n: number, per: number, scale: number) =>
    Float32Array.from({ length: n * per }, (_, i) => scale * Math.sin(i));
  await writePairs(folder, {
    ...{ count: 7, shardSize: 4, seed: 0, shape: [3, 8, 8], labelDim, config: {} },
    make: async ({ length: n }) => ({
      z: { shape: [n, 3, 8, 8], data: numbers(n, 192, 1) },
      y: { shape: [n, 3, 8, 8], data: numbers(n, 192, value) },
      labels: { shape: [n, labelDim], data: numbers(n, labelDim, 0) },
    }),
  });
}

test('distilling: the pair set, and the teacher beside the run’s own pairs', async () => {
  const root = path.join(scratch(), "it's here");
  fs.mkdirSync(root);
  const teacher = await tinyTeacher(root);
  const pairs = path.join(root, 'some pairs');
  await pairsOf(pairs, 0.5);
  const named = distillConfig(teacher, { regression: { pairs: { path: pairs, count: 6 } } });
  await refusedThenTaken(root, named, [
    { key: 'regression.pairs.path', file: pairs, kind: 'data', change: () => pairsOf(pairs, 0.75) },
  ]);
  const folder = await refusedThenTaken(root, distillConfig(teacher), [
    { key: 'teacher', file: teacher, change: () => tinyTeacher(root) },
  ]);
  assert.equal(fs.readdirSync(path.join(folder, 'pairs')).includes('pairs.json'), true);
});

test('content that was put back, or lies elsewhere, is the same; a name of a key that nobody gave is not', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const pairs = path.join(root, 'pairs');
  await pairsOf(pairs, 0.5);
  const regression = { pairs: { path: pairs, count: 7 } };
  const { folder } = await runHere(
    { config: distillConfig(teacher, { iterations: 3, regression }), root },
    { until: 1 },
  );
  await pairsOf(pairs, 0.25);
  for (const set of [['regression.lambda=0.5'], ['regression.pairs.count=7'], [`teacher=${teacher}`]]) {
    const { last } = await runHere({ folder }, { set });
    assert.ok(last.type === 'failed' && last.error.kind === 'data', JSON.stringify(last));
    assert.ok(wordsOf(last.error.hint).includes(set[0]!), 'the changes that were asked for are in the command');
  }
  await pairsOf(pairs, 0.5);
  assert.equal((await runHere({ folder }, { until: 2 })).last.type, 'ended');
  const moved = path.join(root, 'moved');
  fs.renameSync(pairs, moved);
  const second = await runHere(
    { folder },
    { set: [`regression={"pairs":{"path":${JSON.stringify(moved)},"count":7,"steps":2}}`] },
  );
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished', JSON.stringify(second.last));
  assert.deepEqual(readRun(folder).info!.changes, []);
});

/** 8 x 8 pictures in ten classes. */
function pictures(change = 0): Record<string, Uint8Array> {
  const png = (id: number) =>
    encode({
      ...{ width: 8, height: 8, channels: 3, depth: 8 },
      data: Uint8Array.from({ length: 192 }, (_, i) => (31 * id + 7 * i + (id === 4 ? change : 0)) % 256),
    });
  const names = Array.from({ length: 10 }, (_, id) => `0/${id}.png`);
  const labels = JSON.stringify({ labels: names.map((name, id) => [name, id]) });
  return { ...Object.fromEntries(names.map((name, id) => [name, png(id)])), 'dataset.json': Buffer.from(labels) };
}

function writeFolder(folder: string, files: Record<string, Uint8Array>): void {
  for (const [name, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), bytes);
  }
}

test('teaching: a picture or a label in a folder, a zip, and the weights that it began with', async () => {
  const root = scratch();
  const folder = path.join(root, 'set');
  const zip = path.join(root, 'set.zip');
  writeFolder(folder, pictures());
  fs.writeFileSync(zip, zipSync(pictures(), { level: 0 }));
  const of = (source: string) => teachConfig({ data: { source } });
  const key = { key: 'data.source', kind: 'data' } as const;
  const run = await refusedThenTaken(root, of(folder), [
    { ...key, file: folder, change: () => writeFolder(folder, pictures(1)) },
    {
      ...{ ...key, file: folder },
      change: () => edit(path.join(folder, 'dataset.json'), (text) => text.replace('["0/3.png",3]', '["0/3.png",5]')),
    },
    { ...key, file: folder, change: () => writeFolder(folder, pictures(1)) },
  ]);
  await refusedThenTaken(root, of(zip), [
    { ...key, file: zip, change: () => fs.writeFileSync(zip, zipSync(pictures(1), { level: 0 })) },
  ]);
  const moved = path.join(root, 'moved');
  fs.renameSync(folder, moved);
  fs.writeFileSync(path.join(moved, 'notes.txt'), 'not of the set');
  const elsewhere = await runHere({ folder: run }, { set: [`data.source=${moved}`, 'iterations=6'] });
  assert.ok(elsewhere.last.type === 'ended', JSON.stringify(elsewhere.last));
  for (const set of ['data.source=scenes', 'data.count=3', `initial=${zip}`]) {
    const { last } = await runHere({ folder: run }, { set: [set] });
    assert.ok(last.type === 'failed' && / cannot change when a run is resumed/.test(last.error.message), set);
  }

  const initial = await tinyTeacher(root, { label_dim: 10 });
  await refusedThenTaken(root, teachConfig({ initial }), [
    { key: 'initial', file: initial, change: () => tinyTeacher(root, { label_dim: 10 }) },
  ]);
});

test('the process that an editor starts says the same', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const { folder } = await runHere({ config: distillConfig(teacher), root }, { until: 1 });
  await tinyTeacher(root);
  const { last } = await runHere({ folder });
  assert.ok(last.type === 'failed', JSON.stringify(last));
  const { kind, message, hint } = last.error;
  const execArgv = ['--import', new URL('../sources.mjs', import.meta.url).href];
  const resumed = startRunProcess({ start: { folder }, set: [], half: false }, { execArgv, cwd: folder });
  await assert.rejects(resumed, { name: 'UserError', kind, message, hint });
  assert.equal(readRun(folder).state, 'stopped');
});

test('long hashing says how far it is, and can be stopped', async () => {
  const file = path.join(scratch(), 'large.zip');
  fs.writeFileSync(file, '');
  // Nothing on the disk, and more than any machine reads in a second.
  fs.truncateSync(file, 2 ** 36);
  const stop = new AbortController();
  const told: RunMessage[] = [];
  const report = (message: RunMessage) => {
    told.push(message);
    stop.abort();
  };
  const hashing = fileInput('data.source', file, { signal: stop.signal, report });
  await assert.rejects(hashing, { name: 'UserError', kind: 'cancelled' });
  fs.rmSync(file);
  assert.deepEqual(
    told.map((message) => message.type === 'work' && [message.label, message.total, message.unit]),
    [['comparing data.source', 68719, 'MB']],
  );
});

test('a run of before more was recorded is held to what was, goes on, and has the rest recorded from then on', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const pairs = path.join(root, 'pairs');
  await pairsOf(pairs, 0.5);
  const regression = { pairs: { path: pairs, count: 7 } };
  const config = distillConfig(teacher, { iterations: 3, regression });
  const { folder } = await runHere({ config, root }, { until: 1 });
  const recorded = asBefore(folder);
  await pairsOf(pairs, 0.25);
  const bytes = fs.readFileSync(teacher);
  await tinyTeacher(root);
  const other = await runHere({ folder });
  assert.ok(other.last.type === 'failed' && /is not the teacher/.test(other.last.error.message), JSON.stringify(other));
  fs.writeFileSync(teacher, bytes);
  const on = await runHere({ folder }, { until: 2 });
  assert.ok(on.last.type === 'ended', JSON.stringify(on.last));
  const { inputs, changes } = readRun(folder).info!;
  assert.deepEqual([Object.keys(inputs), changes], [Object.keys(recorded), []]);
  await pairsOf(pairs, 0.5);
  const refused = await runHere({ folder });
  assert.ok(refused.last.type === 'failed' && /regression\.pairs\.path/.test(refused.last.error.message));
});

/** Leaves of a run's inputs what an earlier version recorded: the teacher, in its checkpoint. @returns all of them */
function asBefore(folder: string): Record<string, unknown> {
  const paths = runPaths(folder);
  const json = (file: string) => JSON.parse(fs.readFileSync(file, 'utf8'));
  const { failures: _, inputs, changes: __, ...info } = json(paths.info);
  fs.writeFileSync(paths.info, JSON.stringify(info));
  const within = (name: string) => path.join(paths.checkpoints, 'step-00000001', name);
  const state = json(within('state.json'));
  assert.deepEqual(state.inputs, inputs);
  const text = JSON.stringify({ ...state, inputs: { teacher: state.inputs.teacher } });
  fs.writeFileSync(within('state.json'), text);
  const { sha256: ___, ...manifest } = json(within('manifest.json'));
  const files = {
    ...manifest.files,
    'state.json': { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') },
  };
  fs.writeFileSync(within('manifest.json'), encodeManifest({ ...manifest, files }));
  return inputs;
}

test('what was taken on purpose counts at once, even when the run was killed before its next checkpoint', async () => {
  const root = scratch();
  const teacher = await tinyTeacher(root);
  const { folder } = await runHere({ config: distillConfig(teacher, { iterations: 3 }), root }, { until: 1 });
  const checkpoints = runPaths(folder).checkpoints;
  const saved = path.join(root, 'saved');
  fs.cpSync(checkpoints, saved, { recursive: true });
  await tinyTeacher(root);
  const taken = await runHere({ folder }, { set: [`teacher=${teacher}`], until: 2 });
  assert.ok(taken.last.type === 'ended', JSON.stringify(taken.last));
  fs.rmSync(checkpoints, { recursive: true });
  fs.renameSync(saved, checkpoints);
  const on = await runHere({ folder });
  assert.ok(on.last.type === 'ended' && on.last.state === 'finished', JSON.stringify(on.last));
  assert.deepEqual([...on.scalars.keys()], [2, 3]);
});
