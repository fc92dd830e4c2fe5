import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createProgress, formatTime, type ProgressMode, progressMode } from '../../backend/cli/progress.ts';
import { watchRun } from '../../backend/cli/train/watch.ts';
import type { RunMessage } from '../../backend/protocol/run-messages.ts';

/** All that was written: a read gives one piece of it on some Node, everything on others. */
function textOf(stream: PassThrough): string {
  const pieces: string[] = [];
  for (let piece = stream.read(); piece !== null; piece = stream.read()) pieces.push(String(piece));
  return pieces.join('');
}

/** Counts 0..steps, one per `seconds`, and returns what was printed. */
function watch(mode: ProgressMode, steps: number, seconds: number, total = steps): string {
  const stream = new PassThrough();
  let time = 1000;
  const progress = createProgress(mode, 'pairs', total, { stream, now: () => time, unit: 'images' });
  for (let done = 0; done <= steps; done++, time += seconds * 1000) progress.update(done, { loss: done / 3 });
  progress.end();
  return textOf(stream);
}

test('plain lines: at most one per five seconds, the last state always, with rate and time left', () => {
  const lines = watch('lines', 100, 0.25).trim().split('\n');
  assert.equal(lines.length, 6);
  assert.equal(lines[0], 'pairs: 0/100 images, loss 0');
  assert.equal(lines[2], 'pairs: 40/100 images, 4 images/s, 0:15 left, loss 13.3');
  assert.match(lines.at(-1)!, /^pairs: 100\/100 images, 4 images\/s, 0:00 left/);
  assert.match(watch('lines', 3, 20, 100), /, 20 s\/image, 32:20 left/);
});

test('the rate follows a change of pace', () => {
  const stream = new PassThrough();
  let time = 0;
  const progress = createProgress('lines', 'x', 10_000, { stream, now: () => time });
  let done = 0;
  for (const rate of [1, 10]) {
    for (let second = 0; second < 100; second++, time += 1000) {
      done += rate;
      progress.update(done);
    }
  }
  progress.end();
  assert.match(textOf(stream).trim().split('\n').at(-1)!, /, 10 it\/s/);
});

test('JSON lines parse and carry the numbers', () => {
  const lines = watch('json', 4, 1)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 5);
  const expected = { event: 'progress', label: 'pairs', done: 4, total: 4, unit: 'images', rate: 1, secondsLeft: 0 };
  assert.deepEqual(lines.at(-1), { ...expected, loss: 4 / 3 });
});

test('silence is silent, and a bar shows its numbers on a terminal', () => {
  assert.equal(watch('silent', 5, 10), '');
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100, cursorTo() {}, clearLine() {} });
  let time = 0;
  const progress = createProgress('bar', 'distill', 50, { stream, now: () => time });
  for (let done = 0; done <= 20; done++, time += 500) progress.update(done);
  progress.end();
  const shown = textOf(stream);
  assert.match(shown, /distill .*20\/50 it, 2 it\/s, 0:15 left/s);
});

test('the mode: machines first, then terminal or not', () => {
  assert.deepEqual(
    [progressMode(true, true), progressMode(false, true), progressMode(false, false)],
    ['json', 'bar', 'lines'],
  );
  assert.deepEqual([59.6, 65, 7209, -1].map(formatTime), ['1:00', '1:05', '2:00:09', '0:00']);
});

test('where seconds are counted no rate of seconds is shown', () => {
  const stream = new PassThrough();
  let time = 0;
  const progress = createProgress('lines', 'distill', 70, { stream, now: () => time, unit: 's' });
  for (let done = 0; done <= 10; done++, time += 1000) progress.update(done, { iteration: 3 * done });
  assert.equal(textOf(stream).trim().split('\n').at(-1), 'distill: 10/70 s, 1:00 left, iteration 30');
});

test('what is counted is said once', () => {
  const stream = new PassThrough();
  createProgress('lines', 'pairs', 32, { stream, unit: 'pairs' }).update(3);
  assert.equal(textOf(stream), 'pairs: 3/32\n');
});

test('parts of long iterations do not interrupt the count of iterations', (t) => {
  let written = '';
  t.mock.method(process.stderr, 'write', (text: string) => {
    written += text;
    return true;
  });
  const watcher = watchRun('distill', { json: false, line: () => {}, event: () => {} });
  const say = (message: object) => watcher.message(message as RunMessage);
  say({ type: 'opened', folder: '/runs/a', device: 'cpu', threads: 1, why: '', step: 0, iterations: 9 });
  for (let step = 1; step <= 9; step++) {
    say({ type: 'work', label: `iteration ${step}`, done: 1, total: 2, unit: 'micro-batches' });
    say({ type: 'step', step, iterations: 9, scalars: { 'loss/fake': step } });
  }
  watcher.end();
  const lines = written.trim().split('\n');
  assert.deepEqual(lines.length, 2, written);
  assert.equal(lines[0], 'distill: 0/9 it, micro-batch 1/2');
  assert.match(lines[1]!, /^distill: 9\/9 it, .*fake 9$/);
});
