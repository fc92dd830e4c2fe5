/** While a text is typed only the answer to the newest question is shown, and no question is asked for what is overtaken. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { LatestCheck } from '../../extension/config/latest-check.ts';

interface Question {
  readonly key: string;
  readonly signal: AbortSignal;
  answer(result: string): void;
  fail(error: Error): void;
}

let asked: Question[] = [];
let shown: [string, string][] = [];
let failures: unknown[] = [];
let checks: LatestCheck<string>;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  asked = [];
  shown = [];
  failures = [];
  checks = new LatestCheck<string>({
    check: (key, signal) =>
      new Promise((answer, fail) => {
        asked.push({ key, signal, answer, fail });
      }),
    show: (key, result) => shown.push([key, result]),
    failed: (error) => failures.push(error),
    delayMilliseconds: 300,
  });
});
afterEach(() => mock.timers.reset());

/** Lets what is promised happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('typing asks once, a little after the last key', () => {
  checks.changed('a');
  mock.timers.tick(200);
  checks.changed('a');
  mock.timers.tick(299);
  assert.equal(asked.length, 0);
  mock.timers.tick(1);
  assert.equal(asked.length, 1);
});

test('a question that is overtaken is cancelled, and its late answer is not shown', async () => {
  checks.changed('a');
  mock.timers.tick(300);
  checks.changed('a');
  assert.ok(asked[0]!.signal.aborted);
  mock.timers.tick(300);
  asked[1]!.answer('new');
  asked[0]!.answer('old');
  await settle();
  assert.deepEqual(shown, [['a', 'new']]);
});

test('texts do not disturb one another', async () => {
  checks.changed('a');
  checks.changed('b');
  mock.timers.tick(300);
  for (const { key, answer } of asked) answer(`of ${key}`);
  await settle();
  assert.deepEqual(shown.sort(), [
    ['a', 'of a'],
    ['b', 'of b'],
  ]);
});

test('a closed text is not asked about, and its answer is not shown', async () => {
  checks.changed('a');
  checks.closed('a');
  mock.timers.tick(300);
  assert.equal(asked.length, 0);
  checks.changed('a');
  mock.timers.tick(300);
  checks.closed('a');
  asked[0]!.answer('late');
  await settle();
  assert.ok(asked[0]!.signal.aborted);
  assert.deepEqual(shown, []);
});

test('asking at once does not wait, replaces what waits, and resolves when the answer is shown', async () => {
  checks.changed('a');
  const done = checks.now('a');
  mock.timers.tick(1000);
  assert.equal(asked.length, 1);
  asked[0]!.answer('now');
  await done;
  assert.deepEqual(shown, [['a', 'now']]);
});

test('a failure is told, but not that of a question that nobody waits for', async () => {
  checks.changed('a');
  mock.timers.tick(300);
  checks.changed('a');
  asked[0]!.fail(new Error('cancelled'));
  mock.timers.tick(300);
  const broken = new Error('broken');
  asked[1]!.fail(broken);
  await settle();
  assert.deepEqual(failures, [broken]);
  checks.dispose();
});
