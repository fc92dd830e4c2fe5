/**
 * One run of two ranks, killed fifty times at random moments: a rank at a time, with SIGKILL, while it starts, computes or writes. Nothing
 * that was committed is lost, nobody is left after ten seconds, and the next two ranks go on with the bits of one process. Takes
 * minutes, so it runs only when it is named: `npm test -- test/large/ranks`. DMD_KILLS is how many instead of fifty.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loadLatest } from '../../backend/runs/checkpoints/checkpoints.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import { isThere, mpirun, noMpi, ranksOf, type Started } from '../integration/ranks/mpirun.ts';
import { limitHere } from '../machine-speed.ts';
import { randomBelow, uniform } from '../random.ts';
import { runHere, scratch, stateBytes, teachConfig } from '../unit/training/tiny.ts';

const kills = Number(process.env.DMD_KILLS ?? 50);
/** Every other time ranks are let come to their first checkpoint, and work on for so long at most. */
const mostSeconds = 2;

const training = { iterations: 1_000_000, batch: 16, checkpoint: { every: 3, keep: 3 } };
const root = scratch();
const runs = path.join(root, 'runs');
const theRun = () => {
  const name = fs.existsSync(runs) && fs.readdirSync(runs).find((entry) => !entry.startsWith('.'));
  return name ? path.join(runs, name) : undefined;
};

/** Of checkpoints that are whole: the manifest comes last. */
function committed(run: string | undefined): number {
  const folder = run && runPaths(run).checkpoints;
  if (!folder || !fs.existsSync(folder)) return 0;
  const steps = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'manifest.json')));
  return Math.max(0, ...steps.map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? 0)));
}

async function started(): Promise<{ run: Started; ranks: Map<number, number> }> {
  const run = theRun();
  const resumes = run !== undefined && committed(run) > 0;
  const begins = ['teach', path.join(root, 'tiny.dmd.json'), '--out', 'runs'];
  if (!resumes) fs.rmSync(runs, { recursive: true, force: true });
  const begun = mpirun(root, 2, resumes ? ['teach', '--resume', run] : begins);
  for (;;) {
    const ranks = ranksOf(begun.child.pid!);
    if (ranks.size === 2) return { run: begun, ranks };
    assert.equal(begun.child.exitCode, null, begun.output());
    await delay(5);
  }
}

test(`${kills} kills of a rank: nothing committed is lost, nobody is left, and the bits are those of one process`, {
  skip: noMpi,
}, async (t) => {
  fs.writeFileSync(path.join(root, 'tiny.dmd.json'), JSON.stringify(teachConfig(training)));
  const states = new Map<number, Record<string, string>>();
  const tally = new Map<string, number>();
  /** From the ranks' start to the first checkpoint that they write. */
  let secondsToStart = 0;
  for (let kill = 0; kill < kills; kill++) {
    const begun = performance.now();
    const { run, ranks } = await started();
    const victim = randomBelow(2);
    const before = committed(theRun());
    if (kill % 2 === 0) {
      while (committed(theRun()) === before) {
        assert.equal(run.child.exitCode, null, run.output());
        await delay(5);
      }
      secondsToStart = (performance.now() - begun) / 1000;
      await delay(1000 * uniform() * mostSeconds);
    } else await delay(1000 * uniform() * secondsToStart);
    const kept = committed(theRun());
    process.kill(ranks.get(victim)!, 'SIGKILL');
    const until = performance.now() + limitHere(10_000);
    while ([...ranks.values(), run.child.pid!].some(isThere)) {
      assert.ok(performance.now() < until, `kill ${kill}: processes are left; ${run.output()}`);
      await delay(20);
    }
    const folder = theRun();
    assert.ok(folder, 'the run is there');
    const at = kept > before ? 'at work' : 'before its first checkpoint';
    const { checkpoint, warnings } = await loadLatest(runPaths(folder).checkpoints);
    const step = checkpoint?.step ?? 0;
    assert.deepEqual(warnings, [], `kill ${kill}`);
    assert.ok(step >= kept, `kill ${kill} of rank ${victim}: step ${kept} was committed, ${step} is left`);
    if (step > 0) states.set(step, stateBytes(folder, step));
    const { state } = readRun(folder);
    const row = `rank ${victim} ${at}: run ${state}, ${step > kept ? 'a later checkpoint' : 'the last checkpoint'}`;
    tally.set(row, (tally.get(row) ?? 0) + 1);
  }
  for (const [row, count] of [...tally].sort()) t.diagnostic(`${count} x ${row}`);

  const last = Math.max(...states.keys());
  t.diagnostic(`${states.size} different checkpoints were left, the last of step ${last}`);
  assert.ok(last > 0);
  const whole = teachConfig({ ...training, accumulation: 2, checkpoint: { every: 1, keep: 1 } });
  let compared = 0;
  const { last: end } = await runHere(
    { config: whole, root: path.join(root, 'reference') },
    {
      until: last,
      onMessage(message) {
        if (message.type !== 'checkpoint' || !states.has(message.step)) return;
        assert.deepEqual(states.get(message.step), stateBytes(path.dirname(path.dirname(message.path)), message.step));
        compared += 1;
      },
    },
  );
  assert.equal(end.type, 'ended');
  assert.equal(compared, states.size);
});
