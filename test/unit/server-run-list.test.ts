/** The list of runs is what the folders say, corrected by the runs that can be heard; and every change is told. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type RunRecord, runRecordSchema } from '../../backend/protocol/rpc/index.ts';
import type { RunMessageOf } from '../../backend/protocol/run-messages.ts';
import { runCommands } from '../../backend/protocol/run-requests.ts';
import { writeAnnotations } from '../../backend/runs/folder/annotations.ts';
import { LiveLinks } from '../../backend/server/runs/live-links.ts';
import { Pace } from '../../backend/server/runs/pace.ts';
import { RunList } from '../../backend/server/runs/run-list.ts';
import { Heard, makeRun, type PlayedRun, playRun, reopenRun, scratchFolder } from './server/run-folders.ts';

let root: string;
let list: RunList;
let links: LiveLinks;
let changed: Heard<RunRecord>;
let removed: Heard<string>;
let warned: Heard<string>;
/** Who answers at a folder. */
let played: Map<string, PlayedRun>;

beforeEach(() => {
  root = scratchFolder();
  [changed, removed, warned, played] = [new Heard(), new Heard(), new Heard(), new Map()];
  links = new LiveLinks(async (folder) => {
    const run = played.get(folder);
    if (!run) throw new Error('nobody there');
    return run.link;
  });
  list = new RunList(links, { onChanged: changed.add, onRemoved: removed.add, onWarning: warned.add });
});

afterEach(() => {
  list.dispose();
  links.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const step = (at: number, time: number): RunMessageOf<'step'> => {
  return { type: 'step', step: at, iterations: 100, time, scalars: { 'loss/matching': at } };
};

test('every run in the folders, the newest first; other folders and missing roots are left out', async () => {
  const runs = ['one', 'two', 'three'].map((name, i) => {
    const run = makeRun(root, { name });
    run.update({ createdAt: `2025-01-0${i + 1}T00:00:00.000Z`, state: i === 0 ? 'finished' : 'running', step: i });
    return run;
  });
  fs.mkdirSync(path.join(root, 'no-run'));
  fs.writeFileSync(path.join(root, 'file'), '');
  const records = await list.setRoots([root, path.join(root, 'missing'), root]);
  for (const record of records) runRecordSchema.parse(record);
  assert.deepEqual(
    records.map(({ folder }) => folder),
    runs.map(({ paths }) => paths.folder).reverse(),
  );
  const [newest, , oldest] = records;
  assert.deepEqual(
    [newest!.state, newest!.step, newest!.process],
    ['running', 2, { pid: process.pid, reachable: false }],
  );
  assert.deepEqual([oldest!.state, oldest!.kind, oldest!.device], ['finished', 'distill', 'cpu']);
  for (const run of runs) run.close();
  const after = await list.setRoots([root]);
  assert.deepEqual(
    after.map(({ state }) => state),
    ['interrupted', 'interrupted', 'finished'],
  );
  assert.deepEqual(changed.all, [], 'what the answer says is no news');
});

test('new, changed, annotated and deleted runs are told', async () => {
  await list.setRoots([root]);
  const run = makeRun(root);
  const { folder } = run.paths;
  await changed.until((record) => record.folder === folder && record.state === 'queued', 'the new run');
  run.update({ state: 'paused', step: 7 });
  await changed.until((record) => record.state === 'paused' && record.step === 7, 'another state');
  writeAnnotations(folder, { name: 'My run', tags: ['good'] });
  await changed.until((record) => record.name === 'My run' && record.tags[0] === 'good', 'name and tags');
  run.update({ state: 'failed', error: { message: 'out of luck', hint: 'Try again.' } });
  run.close();
  const failed = await changed.until((record) => record.state === 'failed' && !record.process, 'the failure');
  assert.deepEqual(failed.error, { message: 'out of luck', hint: 'Try again.' });
  fs.rmSync(folder, { recursive: true });
  assert.equal(await removed.until(() => true, 'the removal'), folder);
  assert.equal(list.get(folder), undefined);
});

test('a run that was killed is told to be interrupted, one with an unreadable run.json to be damaged', async () => {
  const run = makeRun(root);
  run.update({ state: 'running' });
  await list.setRoots([root]);
  run.close();
  await changed.until(({ state, process }) => state === 'interrupted' && process === null, 'interrupted');
  fs.writeFileSync(run.paths.info, '{ "format": 1');
  const damaged = await changed.until(({ state }) => state === 'damaged', 'damaged');
  assert.match(damaged.error!.message, /run\.json cannot be read/);
});

test('numbers of a run.json that are no steps do not reach the editor', async () => {
  const run = makeRun(root);
  run.close();
  const info = JSON.parse(fs.readFileSync(run.paths.info, 'utf8'));
  fs.writeFileSync(run.paths.info, JSON.stringify({ ...info, step: -1.5, iterations: 1e300 }));
  const [record] = await list.setRoots([root]);
  runRecordSchema.parse(record);
});

test('a run stopped by a NaN names the step whose tensors are kept, and what to do without what to type', async () => {
  const run = makeRun(root);
  const failed = (fields?: string) => {
    const hint =
      'Look at them, then go on from step 12, for example with a lower rate: dmd distill --resume /r --set a=...';
    run.update({ state: 'failed', error: { message: 'NaN', hint, ...(fields === undefined ? {} : { fields }) } });
    return list.setRoots([root]);
  };
  const hint = 'Look at them, then go on from step 12, for example with a lower rate.';
  const [stopped] = await failed('fields/stop/step-00000013.safetensors');
  assert.deepEqual(stopped!.error, { message: 'NaN', hint, stop: 13 });
  for (const fields of [undefined, '../stop/step-00000013.safetensors', 'fields/stop/step-13.safetensors']) {
    const [other] = await failed(fields);
    assert.deepEqual(other!.error, { message: 'NaN', hint }, fields ?? 'no fields');
  }
});

test('what a disk refuses for a while is neither removed nor forgotten', async (t) => {
  const { folder } = makeRun(root).paths;
  await list.setRoots([root]);
  const { statSync, readdirSync } = fs;
  const refuse = () => {
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'stat' });
  };
  const stat = t.mock.method(fs, 'statSync', (...asked: Parameters<typeof statSync>) =>
    String(asked[0]).startsWith(folder) ? refuse() : statSync(...asked),
  );
  list.refresh(folder);
  assert.deepEqual(
    (await list.setRoots([root])).map((record) => record.folder),
    [folder],
  );
  stat.mock.restore();
  const read = t.mock.method(fs, 'readdirSync', (...asked: Parameters<typeof readdirSync>) =>
    asked[0] === root ? refuse() : readdirSync(...asked),
  );
  assert.equal((await list.setRoots([root])).length, 1);
  assert.equal(list.get(folder)?.state, 'queued');
  read.mock.restore();
  assert.equal((await list.setRoots([root])).length, 1);
  assert.deepEqual(removed.all, []);
  assert.ok(warned.all.length > 0, 'and it is said');
  fs.rmSync(folder, { recursive: true });
  await removed.until((one) => one === folder, 'that the folder is gone');
});

test('a run from elsewhere is told of while somebody has it open, and is in no list', async () => {
  const elsewhere = scratchFolder();
  const run = makeRun(elsewhere);
  const { folder } = run.paths;
  const letGo = list.keep(folder);
  const alsoLetGo = list.keep(folder);
  await changed.until((record) => record.folder === folder, 'how it stands');
  assert.deepEqual(await list.setRoots([root]), []);
  letGo();
  run.update({ state: 'running', step: 3 });
  await changed.until(({ state }) => state === 'running', 'that it runs');
  alsoLetGo();
  await list.setRoots([root]);
  assert.equal(list.get(folder), undefined);
  assert.deepEqual(removed.all, []);
  run.close();
  fs.rmSync(elsewhere, { recursive: true });
});

test('a run folder with links to the outside is left out, with a warning, once', async () => {
  const run = makeRun(root);
  run.close();
  const elsewhere = scratchFolder();
  fs.rmSync(run.paths.samples, { recursive: true });
  fs.symlinkSync(elsewhere, run.paths.samples);
  assert.deepEqual(await list.setRoots([root]), []);
  assert.deepEqual(await list.setRoots([root]), []);
  assert.equal(warned.all.length, 1);
  assert.match(warned.all[0]!, /leads out of/);
  assert.deepEqual(removed.all, []);
});

test('a run that can be reached tells state, step, work and pace at once; what it does not tell its folder does', async () => {
  const run = makeRun(root, { contact: 'played' });
  const { folder } = run.paths;
  const process = playRun(folder);
  played.set(folder, process);
  run.update({ state: 'running' });
  const [first] = await list.setRoots([root]);
  assert.equal(first!.process?.reachable, true);
  process.say({ type: 'work', label: 'pairs', done: 3, total: 10, unit: 'pairs' });
  await changed.until(({ work }) => work?.done === 3, 'work');
  const now = Date.now() / 1000;
  process.say(step(1, now));
  process.say(step(2, now + 2));
  process.say(step(11, now + 20));
  const fast = await changed.until((record) => record.step === 11, 'steps');
  assert.equal(fast.work, null);
  assert.equal(fast.secondsLeft, 89 * 2);
  process.say({ type: 'state', state: 'paused' });
  const paused = await changed.until(({ state }) => state === 'paused', 'the pause');
  assert.equal(paused.secondsLeft, null);
  process.say({ type: 'state', state: 'stopping' });
  await changed.until(({ state }) => state === 'stopping', 'stopping, which no file says');
  run.update({ state: 'stopped', step: 12 });
  run.close();
  process.end('');
  const stopped = await changed.until(({ state }) => state === 'stopped', 'the end');
  assert.deepEqual([stopped.step, stopped.process], [12, null]);
});

test('many steps are few messages', async () => {
  const run = makeRun(root, { contact: 'played' });
  const process = playRun(run.paths.folder);
  played.set(run.paths.folder, process);
  run.update({ state: 'running' });
  await list.setRoots([root]);
  const start = performance.now();
  for (let at = 1; at <= 90; at++) process.say(step(at, 1e9 + at));
  await changed.until((record) => record.step === 90, 'the last step');
  const windows = 2 + (performance.now() - start) / 500;
  assert.ok(changed.all.length <= windows, `${changed.all.length} messages`);
  run.close();
});

test('a run that somebody resumes in a terminal is heard again', async () => {
  const run = makeRun(root);
  const { folder } = run.paths;
  run.update({ state: 'stopped' });
  run.close();
  await list.setRoots([root]);
  played.set(folder, playRun(folder, 40));
  const again = reopenRun(folder, 'played');
  const record = await changed.until(({ process, step: at }) => process !== null && at === 40, 'the resumed run');
  assert.equal(record.state, 'running');
  again.close();
});

test('requests go over the link that is there, or over one made for them', async () => {
  const run = makeRun(root, { contact: 'played' });
  const { folder } = run.paths;
  const process = playRun(folder);
  played.set(folder, process);
  assert.deepEqual(await links.ask(folder, runCommands.pause, {}), { step: 0 });
  await list.setRoots([root]);
  await changed.once(() => links.standing(folder), 'the link').catch(() => {});
  await links.ask(folder, runCommands.resume, {});
  assert.deepEqual(process.asked, ['pause', 'resume']);
  await assert.rejects(links.ask(path.join(root, 'none'), runCommands.stop, {}), /nobody there/);
  run.close();
});

test('the pace is that of the last half minute', () => {
  const pace = new Pace();
  assert.equal(pace.secondsFor(10), null);
  pace.add(0, 0);
  assert.equal(pace.secondsFor(10), null, 'one note says nothing');
  pace.add(10, 10);
  assert.equal(pace.secondsFor(10), 10);
  for (let i = 1; i <= 40; i++) pace.add(10 + i, 10 + 2 * i);
  assert.equal(pace.secondsFor(10), 5, 'it has become faster');
  pace.add(60, 5);
  assert.equal(pace.secondsFor(10), null, 'it went back');
  pace.add(61, 6);
  pace.add(61, 6);
  assert.equal(pace.secondsFor(0), 0);
  assert.equal(pace.secondsFor(-3), 0);
});
