/** Who is asked for a value and what becomes of bad answers, with debuggers that are made up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readValueArguments } from '../../backend/protocol/values/dmd-request.ts';
import { statistic } from '../../backend/protocol/values/value.ts';
import type { Debuggee } from '../../extension/values/debuggee.ts';
import { dmdSource } from '../../extension/values/dmd/source.ts';
import { javascriptSource } from '../../extension/values/javascript/source.ts';
import { sourceFor } from '../../extension/values/kinds.ts';
import { readSeconds } from '../../extension/values/limits.ts';
import { pythonSource } from '../../extension/values/python/source.ts';
import { readValue } from '../../extension/values/read.ts';

function debuggee(answer: Debuggee['request'], more: Partial<Debuggee> = {}): Debuggee {
  const stays = new AbortController().signal;
  return { type: 'debugpy', source: '', frameId: 3, resumed: stays, request: answer, ...more };
}

const question = { expression: ' x ', shape: null, count: true, cut: null };

test('the kind of program is known by its debugger, else by its file', () => {
  for (const [type, source, expected] of [
    ['debugpy', '', pythonSource],
    ['python', 'a.js', pythonSource],
    ['Python Kernel Debug Adapter', '', pythonSource],
    ['pwa-node', '', javascriptSource],
    ['pwa-chrome', '', javascriptSource],
    ['dmd', 'x.dmd.json', dmdSource],
    ['unheard-of', '/a/train.py', pythonSource],
    ['unheard-of', 'https://host/a.mjs?v=1', javascriptSource],
    ['lldb', '/a/main.cpp', undefined],
    ['lldb', '', undefined],
  ] as const) {
    assert.equal(sourceFor({ type, source }), expected, `${type} ${source}`);
  }
});

test('a debugger of another language, or none, is said before anything is asked', async () => {
  const asked = debuggee(() => assert.fail('asked'), { type: 'lldb', source: '/a/main.cpp' });
  await assert.rejects(readValue(asked, question), /debugger lldb in \/a\/main.cpp cannot be read/);
  await assert.rejects(readValue(undefined, question), /no program is stopped/);
});

test('an adapter without evaluate, a cut answer and an answer that is none are told apart', async () => {
  for (const [answer, words] of [
    [async () => Promise.reject(new Error("unrecognized request 'evaluate'")), /debugger debugpy cannot evaluate/],
    [async () => Promise.reject(new Error('evaluate is not supported')), /cannot evaluate expressions/],
    [
      async () => Promise.reject(new Error('Traceback:\n  line\nNameError: x')),
      /`x` cannot be evaluated here: NameError: x/,
    ],
    [async () => ({ result: "'dmd1:e30=:AAAA" }), /cut off the numbers of `x` after 15 characters/],
    [async () => ({ result: "'dmd1:e30=:AAAA:end'" }), /cut off/],
    [async () => ({ result: 'array([1.])' }), /cannot be evaluated here: array/],
    [async () => ({}), /gave no value of `x`/],
    [async () => undefined, /gave no value of `x`/],
  ] as const) {
    await assert.rejects(readValue(debuggee(answer), question), (error: Error) => {
      assert.match(error.message, words);
      return true;
    });
  }
});

test('a debugger that never answers is not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const silent = assert.rejects(
    readValue(
      debuggee(() => new Promise(() => {})),
      question,
    ),
    /did not give `x` within/,
  );
  t.mock.timers.tick(1000 * readSeconds);
  await silent;
});

test('a session of our own debugger is asked for the tensor itself', async () => {
  const base64 = (numbers: Float32Array | Float64Array) => Buffer.from(numbers.buffer).toString('base64');
  const statistics = base64(Float64Array.of(4, -1, 0.5, 2, 1, 1, 0, 0, 2));
  const body = { shape: [2, 2], dtype: 'float32', device: 'cpu', statistics, numbers: base64(Float32Array.of(1, 2)) };
  const cut = { at: [1, null], step: [1, 1], order: [1] };
  const asked: unknown[] = [];
  const ours = debuggee(
    async (command, args) => {
      asked.push([command, readValueArguments.parse(args)]);
      return body;
    },
    { type: 'dmd' },
  );
  const value = await readValue(ours, { ...question, cut });
  assert.deepEqual(asked, [['dmdReadValue', { expression: 'x', frameId: 3, shape: null, count: true, cut }]]);
  assert.deepEqual([...value.numbers!], [1, 2]);
  assert.deepEqual([statistic(value, 'max'), statistic(value, 'zero'), value.counted], [2, 2, true]);
  const damaged = debuggee(async () => ({ ...body, shape: 'two' }), { type: 'dmd' });
  await assert.rejects(readValue(damaged, question), /gave no value/);
});
