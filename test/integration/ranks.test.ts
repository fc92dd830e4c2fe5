/** Several processes that train one model: what they come to, and what is left when one of them goes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loadLatest } from '../../backend/runs/checkpoints/checkpoints.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { distillConfig, scratch, teachConfig, tinyTeacher } from '../unit/training/tiny.ts';
import { alone, isThere, mpirun, noMpi, ranksOf, type Started } from './ranks/mpirun.ts';

const skip = noMpi;

function write(folder: string, name: string, config: object): string {
  fs.writeFileSync(path.join(folder, name), JSON.stringify(config));
  return name;
}

/** The only run in a folder. */
function runIn(folder: string, root: string): string {
  const [name] = fs.readdirSync(path.join(folder, root)).filter((entry) => !entry.startsWith('.'));
  return path.join(folder, root, name!);
}

async function finished(run: Started): Promise<string> {
  const code = await run.ended;
  assert.equal(code, 0, run.output());
  return run.output();
}

const bytes = (run: string, name: string) => fs.readFileSync(path.join(run, name));

test('two ranks train what one process does with twice the micro-batches, bit for bit', { skip }, async () => {
  const folder = scratch();
  const config = distillConfig(await tinyTeacher(folder), { iterations: 3 });
  const file = write(folder, 'tiny.dmd.json', config);
  const said = await finished(mpirun(folder, 2, ['distill', file, '--out', 'two']));
  assert.match(said, /Finished 3 iterations/);
  assert.equal(said.match(/Run in/g)?.length, 1, 'the leader alone speaks');
  await finished(alone(folder, ['distill', file, '--set', 'accumulation=2', '--out', 'one']));
  const [two, one] = [runIn(folder, 'two'), runIn(folder, 'one')];
  assert.deepEqual(bytes(two, 'generator.safetensors'), bytes(one, 'generator.safetensors'));
  for (const name of ['generator', 'fake']) {
    const file = `checkpoints/step-00000003/${name}.safetensors`;
    assert.deepEqual(bytes(two, file), bytes(one, file));
  }
  assert.equal(readRun(two).info?.ranks, 2);
});

test('the preset first-run: two ranks have the weights of one process at twice the accumulation', {
  skip,
}, async () => {
  const folder = scratch();
  const unwatched = ['samples', 'probe', 'fields', 'histograms', 'health'].map((name) => `record.${name}Every=0`);
  const small = ['regression.pairs.count=2', 'regression.pairs.steps=2', 'regression.batch=1', ...unwatched];
  const first = [
    'distill',
    '--preset',
    'first-run',
    '--iterations',
    '1',
    '--batch',
    '1',
    '--threads',
    '1',
    '--device',
    'cpu',
  ];
  const command = [...first, ...small.flatMap((change) => ['--set', change])];
  await finished(mpirun(folder, 2, [...command, '--out', 'two']));
  await finished(alone(folder, [...command, '--set', 'accumulation=2', '--out', 'one']));
  const [two, one] = [runIn(folder, 'two'), runIn(folder, 'one')];
  assert.deepEqual(bytes(two, 'generator.safetensors'), bytes(one, 'generator.safetensors'));
});

test('a teaching of three ranks goes on with two, and with one', { skip }, async () => {
  const folder = scratch();
  const file = write(folder, 'tiny.dmd.json', teachConfig({ iterations: 4 }));
  await finished(mpirun(folder, 3, ['teach', file, '--until', '2', '--out', 'runs']));
  const run = runIn(folder, 'runs');
  await finished(mpirun(folder, 2, ['teach', '--resume', run, '--until', '3']));
  const said = await finished(alone(folder, ['teach', '--resume', run]));
  assert.match(said, /ranks was 2 and is now 1/);
  const info = readRun(run).info!;
  assert.deepEqual([info.state, info.step, info.ranks], ['finished', 4, 1]);
});

test('pairs and an evaluation of two ranks are those of one process', { skip }, async () => {
  const folder = scratch();
  const teacher = await tinyTeacher(folder);
  const pairs = ['pairs', teacher, '--count', '130', '--steps', '2', '--device', 'cpu', '--threads', '1', '--out'];
  const said = await finished(mpirun(folder, 2, [...pairs, 'two']));
  assert.equal(said.match(/130 pairs in two/g)?.length, 1, said);
  await finished(alone(folder, [...pairs, 'one']));
  const files = fs.readdirSync(path.join(folder, 'one'));
  assert.deepEqual(fs.readdirSync(path.join(folder, 'two')), files);
  for (const file of files) {
    const [one, two] = ['one', 'two'].map((root) => bytes(path.join(folder, root), file));
    assert.deepEqual(two, one, file);
  }
  const options = ['--count', '210', '--device', 'cpu', '--threads', '1', '--json'];
  const measured = async (run: Started) => {
    const line = (await finished(run)).split('\n').find((text) => text.startsWith('{"event":"eval"'));
    const { secondsPerImage, ...numbers } = JSON.parse(line ?? '{}');
    assert.ok(secondsPerImage > 0);
    return numbers;
  };
  const evaluation = ['eval', 'builtin:scenes', ...options];
  assert.deepEqual(await measured(mpirun(folder, 2, evaluation)), await measured(alone(folder, evaluation)));
});

test('more ranks than samples are refused before anything is computed', { skip }, async () => {
  const folder = scratch();
  const file = write(folder, 'tiny.dmd.json', teachConfig({ iterations: 4, data: { count: 1 } }));
  const run = mpirun(folder, 2, ['teach', file, '--out', 'runs']);
  assert.notEqual(await run.ended, 0);
  assert.match(run.output(), /data\.count is 1, and 2 ranks are to share it/);
  assert.ok(!fs.existsSync(path.join(folder, 'runs')));
});

/** A teaching of two ranks that goes on for ever, at its tenth iteration or so. */
async function endless(t: TestContext, change: object = {}) {
  const folder = scratch();
  const config = teachConfig({ iterations: 1_000_000, checkpoint: { every: 5, keep: 2 }, ...change });
  const run = mpirun(folder, 2, ['teach', write(folder, 'tiny.dmd.json', config), '--out', 'runs']);
  t.after(() => run.child.kill('SIGKILL'));
  for (;;) {
    if (run.child.exitCode !== null) assert.fail(run.output());
    const root = path.join(folder, 'runs');
    const name = fs.existsSync(root) ? fs.readdirSync(root).find((entry) => !entry.startsWith('.')) : undefined;
    if (name && fs.existsSync(path.join(root, name, 'checkpoints', 'step-00000010'))) break;
    await delay(50);
  }
  return { run, folder: runIn(folder, 'runs'), ranks: ranksOf(run.child.pid!) };
}

/** Nobody is left after ten seconds, and the run has a sound checkpoint. @returns the step of it */
async function leftBehind(ranks: ReadonlyMap<number, number>, folder: string): Promise<number> {
  const until = performance.now() + 10_000;
  while ([...ranks.values()].some(isThere)) {
    assert.ok(performance.now() < until, `processes are left: ${JSON.stringify([...ranks])}`);
    await delay(50);
  }
  const { checkpoint, warnings } = await loadLatest(runPaths(folder).checkpoints);
  assert.deepEqual(warnings, []);
  assert.ok(checkpoint);
  return checkpoint.step;
}

test('mpirun told to end: a checkpoint of the last iteration, and the run says that it stopped', {
  skip,
}, async (t) => {
  const { run, folder, ranks } = await endless(t);
  assert.deepEqual([...ranks.keys()].sort(), [0, 1]);
  run.child.kill('SIGTERM');
  const step = await leftBehind(ranks, folder);
  const info = readRun(folder).info!;
  assert.deepEqual([info.state, info.step], ['stopped', step]);
});

test('a rank that is killed: the leader saves what is committed, and ends', { skip }, async (t) => {
  const { folder, ranks } = await endless(t);
  process.kill(ranks.get(1)!, 'SIGKILL');
  const step = await leftBehind(ranks, folder);
  const info = readRun(folder).info!;
  assert.ok(['stopped', 'failed'].includes(info.state), info.state);
  assert.equal(info.step, step);
});

for (const [name, victim] of [
  ['the leader', 0],
  ['mpirun', -1],
] as const) {
  test(`${name} is killed: nobody is left, and the last checkpoint is sound`, { skip }, async (t) => {
    const { run, folder, ranks } = await endless(t);
    process.kill(victim < 0 ? run.child.pid! : ranks.get(victim)!, 'SIGKILL');
    assert.ok((await leftBehind(ranks, folder)) >= 10);
  });
}

test('numbers that are not finite, on whichever rank: none commits, and the run says which step', {
  skip,
}, async () => {
  const folder = scratch();
  const file = write(folder, 'tiny.dmd.json', teachConfig({ iterations: 50, optimizer: { lr: 1e30, warmup: 0 } }));
  const run = mpirun(folder, 2, ['teach', file, '--out', 'runs']);
  assert.notEqual(await run.ended, 0);
  assert.match(run.output(), /not committed/);
  const info = readRun(runIn(folder, 'runs')).info!;
  assert.equal(info.state, 'failed');
});

test('ranks of different configs are refused before anything is computed, by name and number', { skip }, async () => {
  const folder = scratch();
  const file = write(folder, 'tiny.dmd.json', teachConfig({ iterations: 4 }));
  const other = ['teach', file, '--set', 'batch=3', '--out', 'runs'];
  const run = mpirun(folder, 2, ['teach', file, '--out', 'runs'], other);
  assert.notEqual(await run.ended, 0);
  assert.match(run.output(), /batch is \d+ on rank 0, 3 on rank 1/);
  assert.ok(!fs.existsSync(path.join(folder, 'runs')), 'no run was begun');
});

test('what ranks cannot share is refused', { skip }, async () => {
  const run = mpirun(scratch(), 2, ['devices']);
  assert.notEqual(await run.ended, 0);
  assert.match(run.output(), /dmd devices is one process's work, and Open MPI started 2 of it/);
});
