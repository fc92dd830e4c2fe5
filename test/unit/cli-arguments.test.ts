/** What people type, and what they get back when it is wrong. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { numberList, positiveInteger, seedInName, seedList, wholeNumber } from '../../backend/cli/arguments.ts';
import { reportError } from '../../backend/cli/errors.ts';
import { table } from '../../backend/cli/output.ts';
import { exitCodes, UserError } from '../../backend/protocol/errors.ts';
import { sourceLoader } from '../loader.ts';

test('numbers and lists of numbers', () => {
  assert.equal(wholeNumber('0'), 0);
  assert.equal(positiveInteger('12'), 12);
  assert.deepEqual(numberList('3'), [3]);
  assert.deepEqual(numberList('5,0,10-12,7'), [5, 0, 10, 11, 12, 7]);
  for (const wrong of ['', '-1', '1.5', '1e3', ' 1', '0x10', '9007199254740993']) {
    assert.throws(() => wholeNumber(wrong), /Expected/, wrong);
  }
  assert.throws(() => positiveInteger('0'), /Expected/);
  for (const wrong of ['', '1,', '3-1', '1-2-3', 'a-b', '-3', '0-99999999']) {
    assert.throws(() => numberList(wrong), /Expected/, wrong);
  }
});

test('a table pads every column but trailing blanks', () => {
  assert.deepEqual(
    table(
      [
        ['a', 'bbb', ''],
        ['cc', 'd'],
        ['', '', 'x'],
      ],
      '  ',
    ),
    ['  a   bbb', '  cc  d', '           x'],
  );
});

/** Runs `report` and returns the exit code with what it wrote. */
function captured(error: unknown, style: { json: boolean; verbose: boolean }) {
  const written = { out: '', err: '' };
  const [out, err] = [process.stdout.write, process.stderr.write];
  const into = (key: 'out' | 'err') => (text: string | Uint8Array) => {
    written[key] += text;
    return true;
  };
  process.stdout.write = into('out');
  process.stderr.write = into('err');
  try {
    return { code: reportError(error, style), ...written };
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
}

test('an error for a person is what happened and what to do, a bug shows its stack only when asked', () => {
  const known = captured(new UserError('weights', 'x.pkl is damaged', 'Fetch it again.'), {
    json: false,
    verbose: false,
  });
  assert.equal(known.code, exitCodes.weights);
  assert.equal(known.err, 'dmd: x.pkl is damaged\n     Fetch it again.\n');
  const bug = captured(new TypeError('undefined is not'), { json: true, verbose: false });
  assert.equal(bug.code, 70);
  assert.doesNotMatch(bug.err, /at .*cli-arguments/);
  assert.deepEqual(JSON.parse(bug.out), {
    event: 'error',
    kind: 'bug',
    message: 'undefined is not',
    hint: 'This is a bug in dmd; run the command again with --verbose to see where.',
  });
  assert.match(captured(new TypeError('undefined is not'), { json: false, verbose: true }).err, /at .*cli-arguments/);
});

test('wrong calls exit 2 and name what is wrong; help and version exit 0', () => {
  const main = fileURLToPath(new URL('../../backend/cli/main.ts', import.meta.url));
  const dmd = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', sourceLoader, main, ...args], { encoding: 'utf8' });
  const wrong = dmd('verify', '--devise', 'cpu', 'x');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /unknown option '--devise'/);
  assert.equal(dmd().status, 2);
  const help = dmd('verify', '--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /Exit codes: 0 everything/);
  const version = dmd('--version');
  assert.deepEqual([version.status, version.stderr], [0, '']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('seeds as PyTorch takes them, and ranges of them', () => {
  assert.deepEqual(seedList('0-2,9'), [0, 1, 2, 9]);
  assert.deepEqual(seedList('-1'), [-1]);
  assert.deepEqual(seedList('-3--1,-1-1'), [-3, -2, -1, -1, 0, 1]);
  assert.deepEqual(seedList('18446744073709551615'), ['18446744073709551615']);
  assert.deepEqual(seedList('-9223372036854775808'), ['-9223372036854775808']);
  assert.deepEqual(seedList('9007199254740990-9007199254740993'), [
    ...[9007199254740990, 9007199254740991],
    ...['9007199254740992', '9007199254740993'],
  ]);
  for (const wrong of ['', '1.5', 'a', '1-', '--', '3-1', '-1--3', '18446744073709551616', '-9223372036854775809']) {
    assert.throws(() => seedList(wrong), /Expected/, wrong);
  }
  assert.throws(() => seedList('0-18446744073709551615'), /Expected/, 'more than fit a machine');
  assert.deepEqual([7, -1, '18446744073709551615'].map(seedInName), ['000007', '-000001', '18446744073709551615']);
});
