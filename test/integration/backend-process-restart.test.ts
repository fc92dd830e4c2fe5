/** A backend that crashes comes back, later each time, and not for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { UserError } from '../../backend/protocol/errors.ts';
import { notification } from '../../backend/protocol/rpc/define.ts';
import type { End } from '../../extension/backend/process.ts';
import { Supervisor } from '../../extension/backend/supervisor.ts';
import { ask, cancellable, launch, noting } from './misbehaving/launch.ts';

const told = notification('told', z.object({ word: z.string() }));

/** Supervises backends of these names, one after the other; the last one stays. */
function supervise(names: string[], policy: { delays: number[]; windowMilliseconds?: number }) {
  const log = noting();
  const crashes: { end: End; again: boolean }[] = [];
  const starts: number[] = [];
  /** Milliseconds from each crash to the launch after it. */
  const waits: number[] = [];
  let crashed = Number.NaN;
  let launched = 0;
  const supervisor = new Supervisor({
    log,
    launch: async (onNotification) => {
      if (launched > 0) waits.push(performance.now() - crashed);
      const name = names[Math.min(launched++, names.length - 1)]!;
      if (name === 'nothing') throw new UserError('usage', 'there is no Node', 'Install one.');
      return launch(name, { log, onNotification }).backend;
    },
    onStart: () => {
      starts.push(launched);
      log.info(`start ${starts.length}`);
    },
    onCrash: (end, again) => {
      crashed = performance.now();
      crashes.push({ end, again });
      log.info(again ? `crash ${crashes.length}` : 'gave up');
    },
    policy,
  });
  return { supervisor, log, crashes, starts, waits, launched: () => launched };
}

test('nothing is started before the first request, and one process serves all', async (t) => {
  const { supervisor, starts, launched } = supervise(['well-behaved'], { delays: [1] });
  t.after(() => supervisor.dispose());
  assert.equal(launched(), 0);
  const answers = await Promise.all([1, 2, 3].map((n) => supervisor.request(ask('echo'), { n })));
  assert.deepEqual(answers, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual([launched(), starts.length], [1, 1]);
});

test('after a crash it is started again by itself, and a request meanwhile waits for it', async (t) => {
  const { supervisor, log, crashes, starts } = supervise(['crash-in-request', 'well-behaved'], { delays: [50] });
  t.after(() => supervisor.dispose());
  const words: string[] = [];
  supervisor.onNotification(told, ({ word }) => words.push(word));
  await assert.rejects(supervisor.request(ask('work', null), {}), /during work/);
  await log.line('crash 1');
  assert.deepEqual(await supervisor.request(ask('echo'), { n: 1 }), { n: 1 });
  assert.equal(starts.length, 2);
  assert.deepEqual(
    crashes.map(({ again }) => again),
    [true],
  );
  await supervisor.request(ask('tell'), { word: 'still here' });
  assert.deepEqual(words, ['still here'], 'handlers outlive the process');
});

test('it gives up when it crashed too often, says so to every request, and comes back when asked to', async (t) => {
  const delays = [10, 40, 90];
  const names = ['crash-at-start', 'crash-at-start', 'crash-at-start', 'crash-at-start', 'well-behaved'];
  const { supervisor, log, crashes, starts, waits, launched } = supervise(names, { delays });
  t.after(() => supervisor.dispose());
  await assert.rejects(supervisor.request(ask('echo'), {}), /crashed \(exit code 3\)/);
  await log.line('gave up');
  // A timer may fire a millisecond early.
  for (const [i, delay] of delays.entries()) assert.ok(waits[i]! >= delay - 2, `${waits[i]} ms instead of ${delay}`);
  assert.deepEqual(
    crashes.map(({ again }) => again),
    [true, true, true, false],
  );
  assert.deepEqual([launched(), starts.length], [4, 0]);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(supervisor.request(ask('echo'), {}), (error: UserError) => {
      assert.match(error.message, /crashed more than 3 times within 3 minutes/);
      assert.match(error.hint, /Restart Backend/);
      return true;
    });
  }
  assert.equal(launched(), 4);
  await supervisor.restart();
  assert.deepEqual(await supervisor.request(ask('echo'), { n: 1 }), { n: 1 });
});

test('crashes long ago do not count', async (t) => {
  const names = ['crash-at-start', 'crash-at-start', 'crash-at-start', 'well-behaved'];
  const { supervisor, log, crashes } = supervise(names, { delays: [1], windowMilliseconds: 0 });
  t.after(() => supervisor.dispose());
  await assert.rejects(supervisor.request(ask('echo'), {}));
  await log.line('start 1');
  assert.deepEqual(
    crashes.map(({ again }) => again),
    [true, true, true],
  );
});

test('where no process can be had there is no crash, and the next request tries again', async (t) => {
  const { supervisor, crashes } = supervise(['nothing', 'well-behaved'], { delays: [1] });
  t.after(() => supervisor.dispose());
  await assert.rejects(supervisor.request(ask('echo'), {}), /there is no Node/);
  assert.deepEqual(await supervisor.request(ask('echo'), { n: 1 }), { n: 1 });
  assert.equal(crashes.length, 0);
});

test('a backend of another version is not started again by itself', async () => {
  const { supervisor, crashes, launched } = supervise(['wrong-version'], { delays: [1] });
  await assert.rejects(supervisor.request(ask('echo'), {}), /version 999/);
  await supervisor.dispose();
  assert.deepEqual([crashes.length, launched()], [0, 1]);
});

test('a cancelled request does not wait for a start that hangs', async (t) => {
  const { supervisor, log } = supervise(['crash-at-start', 'well-behaved'], { delays: [60_000] });
  t.after(() => supervisor.dispose());
  await assert.rejects(supervisor.request(ask('echo'), {}));
  await log.line('crash 1');
  const { token, cancel } = cancellable();
  const waiting = supervisor.request(ask('echo'), {}, token);
  cancel();
  await assert.rejects(waiting, /cancelled/);
});

test('shutting down ends what is up or on its way, and what waits for it', async () => {
  const { supervisor, log, crashes } = supervise(['crash-at-start', 'well-behaved'], { delays: [60_000] });
  await assert.rejects(supervisor.request(ask('echo'), {}));
  await log.line('crash 1');
  const waiting = supervisor.request(ask('echo'), {});
  await Promise.all([assert.rejects(waiting, /shut down/), supervisor.dispose()]);
  await assert.rejects(supervisor.request(ask('echo'), {}), /shut down/);
  assert.equal(crashes.length, 1);
});

test('a notification of another type than agreed reaches nobody', async (t) => {
  const { supervisor, log } = supervise(['lies'], { delays: [1] });
  t.after(() => supervisor.dispose());
  supervisor.onNotification(told, () => assert.fail('not as agreed'));
  await supervisor.request(ask('count'), {});
  await log.line("The backend's told is not as agreed");
});
