/** Ranks that a config asks for, from a terminal and as the editor starts them: nobody types mpirun. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { connectRunIn } from '../../backend/runs/live/link.ts';
import { startRunProcess } from '../../backend/runs/live/start.ts';
import { limitHere } from '../machine-speed.ts';
import { scratch, teachConfig } from '../unit/training/tiny.ts';
import { alone, childrenOf, isThere, noMpi, ranksOf } from './ranks/mpirun.ts';

const skip = noMpi;
const options = { execArgv: [], program: fileURLToPath(new URL('../../dist/run-process.js', import.meta.url)) };
process.env.XDG_RUNTIME_DIR = scratch();

const two = { launch: { mpi: { ranks: 2 } } };
const endless = { ...two, iterations: 1_000_000, checkpoint: { every: 5, keep: 2 } };

async function until<T>(look: () => T | undefined | false | null, what: string): Promise<T> {
  for (const end = performance.now() + limitHere(60_000); performance.now() < end; await delay(50)) {
    const found = look();
    if (found) return found;
  }
  assert.fail(what);
}

const has = (folder: string, step: number) =>
  fs.existsSync(path.join(runPaths(folder).checkpoints, `step-${String(step).padStart(8, '0')}`));

test('dmd with a config that asks for two ranks: it is they; killed, they stop in order; resumed, they are two again', {
  skip,
}, async (t) => {
  const folder = scratch();
  const file = path.join(folder, 'tiny.dmd.json');
  fs.writeFileSync(file, JSON.stringify(teachConfig(endless)));
  const dmd = alone(folder, ['teach', file, '--out', 'runs']);
  t.after(() => dmd.child.kill('SIGKILL'));
  const runs = path.join(folder, 'runs');
  const name = await until(() => {
    if (dmd.child.exitCode !== null) assert.fail(dmd.output());
    return fs.existsSync(runs) && fs.readdirSync(runs).find((entry) => !entry.startsWith('.'));
  }, 'no run');
  const run = path.join(runs, name);
  await until(() => has(run, 5), 'no checkpoint');
  const [mpirun] = childrenOf(dmd.child.pid!);
  const ranks = ranksOf(mpirun!);
  assert.equal(ranks.size, 2, dmd.output());
  dmd.child.kill('SIGKILL');
  await until(() => ![...ranks.values(), mpirun!].some(isThere), 'processes are left');
  const { info } = readRun(run);
  assert.equal(info?.state, 'stopped');
  assert.ok(has(run, info.step));

  const resumed = alone(folder, ['teach', '--resume', run, '--until', String(info.step + 1)]);
  assert.equal(await resumed.ended, 0, resumed.output());
  assert.match(resumed.output(), /Starting 2 ranks with \w/);
  assert.deepEqual([readRun(run).info?.ranks, readRun(run).info?.step], [2, info.step + 1]);
});

test('Start in the editor: two ranks that outlive it, found in the run folder and stopped from there', {
  skip,
}, async () => {
  const root = path.join(scratch(), 'runs');
  const started = await startRunProcess(
    { start: { config: teachConfig(endless), root }, set: [], half: false },
    options,
  );
  const ranks = ranksOf(started.pid);
  assert.equal(ranks.size, 2);
  assert.equal(readRun(started.folder).owner?.pid, ranks.get(0));
  const link = await connectRunIn(started.folder);
  const { step } = await link.ask(runRequests.stop, {});
  await until(() => ![...ranks.values(), started.pid].some(isThere), 'processes are left');
  link.close();
  const { info } = readRun(started.folder);
  assert.deepEqual([info?.state, info?.step, info?.ranks], ['stopped', step, 2]);
  assert.match(fs.readFileSync(path.join(started.folder, 'run.log'), 'utf8'), /run in .*\n(.*\n)*.* stopped at step/);
});

test('a start of ranks that fails says why and leaves nothing; the debugger takes one process', { skip }, async () => {
  const above = scratch();
  const config = teachConfig({ ...two, initial: path.join(above, 'missing.safetensors') });
  const request = { start: { config, root: path.join(above, 'runs') }, set: [], half: false };
  await assert.rejects(startRunProcess(request, options), { kind: 'weights', message: /missing\.safetensors/ });
  assert.deepEqual(fs.readdirSync(above), []);
  await assert.rejects(startRunProcess({ ...request, debug: true }, options), /several ranks cannot be debugged/);
});
