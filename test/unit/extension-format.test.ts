/** Times, parts and sizes as the views show them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, fileSize, line, localTime, percent } from '../../extension/views/format.ts';

test('a duration has the two units that matter, rounded down', () => {
  const cases: [number | null, string][] = [
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h 00 min'],
    [11_100, '3 h 05 min'],
    [86_399, '23 h 59 min'],
    [86_400, '1 d 0 h'],
    [2 * 86_400 + 4.5 * 3600, '2 d 4 h'],
    [null, ''],
    [Number.NaN, ''],
    [Number.POSITIVE_INFINITY, ''],
    [-1, ''],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text, String(seconds));
});

test('100% is said only when all is done', () => {
  assert.equal(percent(0, 3), '0%');
  assert.equal(percent(4999, 5000), '99%');
  assert.equal(percent(5000, 5000), '100%');
  assert.equal(percent(7, 5), '100%');
  assert.equal(percent(1, 0), '');
  assert.equal(percent(Number.NaN, 10), '');
});

test('sizes carry three digits at most where a unit allows', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [4_234_567, '4.2 MB'],
    [99_960_000, '100 MB'],
    [999_600_000, '1.0 GB'],
    [3.44e9, '3.4 GB'],
    [5e15, '5000 TB'],
  ];
  for (const [bytes, text] of cases) assert.equal(fileSize(bytes), text);
});

test('empty parts leave no trace, and what is no time stays as it is', () => {
  assert.equal(line(['a', '', 'b']), 'a · b');
  assert.equal(line(['', '']), '');
  assert.equal(localTime('yesterday', 'en'), 'yesterday');
});

test("a time is written as the editor's language does, whatever the machine's is", () => {
  assert.match(localTime('2026-01-12T12:04:05Z', 'en'), /^1\/1[123]\/2026, /);
  assert.match(localTime('2026-01-12T12:04:05Z', 'zh-cn'), /^2026\/1\/1[123] /);
});
