import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryPath } from '../../backend/files/atomic.ts';
import { type Config, parseConfig } from '../../backend/protocol/config/index.ts';
import { readConfigFile } from '../../backend/runs/config-file.ts';
import { acquireLock } from '../../backend/runs/folder/lock.ts';
import { createRun, listRuns, type OpenRun, readRun, resumeRun } from '../../backend/runs/folder/run-folder.ts';
import { slugOf } from '../../backend/runs/folder/run-name.ts';

const setup = { version: '1.2.3', device: 'cpu', threads: 2 };

function scratch(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-run-'));
}

function config(keys: object = {}): Config {
  return parseConfig(JSON.stringify({ kind: 'distill', name: 'My Rün!', iterations: 77, ...keys }), 'test');
}

/** What a process that was killed leaves: everything but the lock's holder. */
function kill(run: OpenRun): void {
  run.lock.release();
}

test('a new run has its config, its setup and a name that is never used twice', () => {
  const root = path.join(scratch(), 'runs');
  const runs = [1, 2, 3].map(() => createRun(root, config(), setup));
  const day = path.basename(runs[0]!.paths.folder).slice(0, 10);
  assert.match(day, /^\d{4}-\d\d-\d\d$/);
  assert.deepEqual(
    runs.map(({ paths }) => path.basename(paths.folder)),
    [`${day}-my-run`, `${day}-my-run-2`, `${day}-my-run-3`],
  );
  const { info, state, owner } = readRun(runs[0]!.paths.folder);
  assert.deepEqual([info?.version, info?.device, info?.threads, info?.node], ['1.2.3', 'cpu', 2, process.version]);
  assert.deepEqual([info?.iterations, info?.step, state], [77, 0, 'queued']);
  assert.equal(owner?.pid, process.pid);
  assert.deepEqual(parseConfig(fs.readFileSync(runs[0]!.paths.config, 'utf8'), 'c'), config());
  runs.forEach((run) => {
    run.close();
  });
});

test('state and error are kept, and a run without its process was interrupted', () => {
  const run = createRun(scratch(), config(), setup);
  const folder = run.paths.folder;
  run.update({ state: 'running', startedAt: new Date().toISOString(), step: 5 });
  assert.equal(readRun(folder).state, 'running');
  kill(run);
  assert.deepEqual([readRun(folder).state, readRun(folder).info?.step], ['interrupted', 5]);
  assert.throws(() => run.update({ step: 6 }), { name: 'UserError', kind: 'locked' });
  assert.equal(readRun(folder).info?.step, 5);

  const again = resumeRun(folder, { ...setup, threads: 4 });
  again.update({ state: 'failed', error: { message: 'loss is NaN', hint: 'lower lr' } });
  again.close();
  const { state, info } = readRun(folder);
  assert.deepEqual([state, info?.error?.message, info?.threads, info?.iterations], ['failed', 'loss is NaN', 4, 77]);
});

test('resuming clears what was half-written, and is refused while another works there', () => {
  const run = createRun(scratch(), config(), setup);
  assert.throws(() => resumeRun(run.paths.folder, setup), { name: 'UserError', kind: 'locked' });
  const leftovers = [run.paths.info, path.join(run.paths.samples, 'a.png'), path.join(run.paths.fields, 'probe', 'b')];
  fs.mkdirSync(path.join(run.paths.fields, 'probe'));
  const names = leftovers.map(temporaryPath);
  for (const name of names) fs.writeFileSync(name, 'half');
  kill(run);
  resumeRun(run.paths.folder, setup).close();
  for (const name of names) assert.ok(!fs.existsSync(name), name);
});

test('a config changed at a resume keeps the one before beside it', () => {
  const run = createRun(scratch(), config(), setup);
  run.changeConfig(config({ iterations: 99 }), 40);
  run.close();
  const again = resumeRun(run.paths.folder, setup);
  assert.equal(again.config().iterations, 99);
  again.close();
  const before = path.join(run.paths.folder, 'config.until-00000040.dmd.json');
  assert.equal(parseConfig(fs.readFileSync(before, 'utf8'), before).iterations, 77);
});

test('runs are listed newest first; a damaged one is listed as such, other folders are not', async () => {
  const root = scratch();
  assert.deepEqual(listRuns(path.join(root, 'nowhere')), []);
  const runs = [];
  for (const name of ['zeta', 'alpha', 'mid']) {
    const run = createRun(root, config({ name }), setup);
    run.close();
    runs.push(path.basename(run.paths.folder));
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  fs.mkdirSync(path.join(root, 'other'));
  fs.writeFileSync(path.join(root, runs[1]!, 'run.json'), '{"format": 1, "kind"');
  const listed = listRuns(root);
  assert.deepEqual(
    listed.map((run) => path.basename(run.paths.folder)),
    [runs[2], runs[0], runs[1]],
  );
  const damaged = listed[2]!;
  assert.equal(damaged.state, 'damaged');
  assert.ok(damaged.problem.includes(path.join(runs[1]!, 'run.json')), damaged.problem);
  fs.writeFileSync(path.join(root, runs[1]!, 'run.json'), '{"format": 2}');
  assert.match(readRun(path.join(root, runs[1]!)).problem, /format/);
  assert.throws(() => readRun(path.join(root, 'other')), /is not a run folder/);
  assert.throws(() => resumeRun(path.join(root, 'other'), setup), /is not a run folder/);
});

test('a root that cannot be written is an error that names it', () => {
  const file = path.join(scratch(), 'file');
  fs.writeFileSync(file, '');
  assert.throws(
    () => createRun(path.join(file, 'runs'), config(), setup),
    (error: Error) => error.name === 'UserError' && error.message.includes(path.join(file, 'runs')),
  );
});

test('names of folders', () => {
  assert.equal(slugOf('  Größe & Maß: 2×/v1.5 '), 'gro-e-ma-2-v1-5');
  assert.equal(slugOf('../../etc'), 'etc');
  assert.equal(slugOf('***'), 'run');
  assert.ok(slugOf('a-'.repeat(90)).length <= 40);
});

test('paths in a config file are relative to it', () => {
  const folder = scratch();
  const file = path.join(folder, 'my-run.dmd.json');
  fs.writeFileSync(
    file,
    '{"kind": "distill", "teacher": "../t.pkl", "out": "r", "regression": {"lpipsWeights": "/w.pt", "vggWeights": "v.pth", "pairs": {"path": "p"}}}',
  );
  const read = readConfigFile(file);
  assert.ok(read.kind === 'distill');
  assert.deepEqual(
    [read.teacher, read.out, read.name],
    [path.resolve(folder, '../t.pkl'), path.join(folder, 'r'), 'my-run'],
  );
  const { lpipsWeights, vggWeights, pairs } = read.regression;
  assert.deepEqual(
    [lpipsWeights, vggWeights, pairs.path],
    [path.resolve('/w.pt'), path.join(folder, 'v.pth'), path.join(folder, 'p')],
  );
  fs.writeFileSync(file, '{"kind": "distill", "name": "n"}');
  const plain = readConfigFile(file);
  assert.ok(plain.kind === 'distill');
  assert.deepEqual([plain.teacher, plain.out, plain.name], ['builtin:scenes', undefined, 'n']);
  const network = '"network": {"img_resolution": 8, "img_channels": 3}';
  for (const [source, resolved] of [
    ['scenes', 'scenes'],
    ['set.zip', path.join(folder, 'set.zip')],
  ]) {
    fs.writeFileSync(file, `{"kind": "teach", ${network}, "data": {"source": "${source}"}}`);
    const teach = readConfigFile(file);
    assert.ok(teach.kind === 'teach');
    assert.equal(teach.data.source, resolved);
  }
  assert.throws(() => readConfigFile(path.join(folder, 'none.dmd.json')), /none.dmd.json: no such file/);
});

test('a start that was killed before its run began does not keep the name', () => {
  const root = scratch();
  const first = createRun(root, config(), setup);
  const { folder } = first.paths;
  kill(first);
  const file = (name: string) => path.join(folder, name);
  const dead = { pid: 2 ** 22 + 5, host: first.lock.owner.host, birth: 'another boot 1', since: 'x', contact: '' };
  /** From the moment on that its folder was made, step by step. */
  const stages: (() => void)[] = [
    () => {},
    () => fs.writeFileSync(file('run.lock'), JSON.stringify(dead)),
    () => fs.mkdirSync(file('events')),
    () => fs.writeFileSync(temporaryPath(file('config.dmd.json')), '{ "ki'),
    () => fs.writeFileSync(file('config.dmd.json'), '{ "kind": "teach" }'),
  ];
  for (let count = 1; count <= stages.length; count++) {
    fs.rmSync(folder, { recursive: true });
    fs.mkdirSync(folder);
    for (const stage of stages.slice(0, count)) stage();
    const run = createRun(root, config(), setup);
    assert.equal(run.paths.folder, folder, `stage ${count}`);
    assert.equal(readRun(folder).owner?.pid, process.pid);
    assert.deepEqual(parseConfig(fs.readFileSync(run.paths.config, 'utf8'), 'c'), config());
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
    run.close();
  }
});

test('a folder that holds anything else, or where a start is at work, is not taken', () => {
  const root = scratch();
  const first = createRun(root, config(), setup);
  const { folder } = first.paths;
  kill(first);
  const emptied = () => {
    fs.rmSync(folder, { recursive: true });
    fs.mkdirSync(folder);
  };
  const nextName = () => {
    const run = createRun(root, config(), setup);
    fs.rmSync(run.paths.folder, { recursive: true });
    run.close();
    return path.basename(run.paths.folder);
  };
  emptied();
  fs.writeFileSync(path.join(folder, 'notes.txt'), 'mine');
  assert.match(nextName(), /-2$/);
  emptied();
  fs.mkdirSync(path.join(folder, 'samples'));
  fs.writeFileSync(path.join(folder, 'samples', 'a.png'), 'mine');
  assert.match(nextName(), /-2$/);
  emptied();
  const lock = acquireLock(folder);
  assert.match(nextName(), /-2$/);
  lock.release();
  assert.doesNotMatch(nextName(), /-\d$/);
});
