/** Expressions of the debugger: what they come to, and what is said of those that come to nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completions } from '../../backend/debug/expression/complete.ts';
import { evaluate, type Names } from '../../backend/debug/expression/evaluate.ts';
import { parseExpression, parseStatement } from '../../backend/debug/expression/parse.ts';
import { Summary, statisticsOf } from '../../backend/debug/statistics.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { stream } from '../../backend/random/stream.ts';
import { uniform } from '../random.ts';

const grad: TensorData = { shape: [2, 3, 4], data: stream(uniform(), 'grad').randn(24) };
const bad: TensorData = { shape: [4], data: Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 0, -2) };
const numbers: Readonly<Record<string, number>> = {
  step: 101,
  'loss.fake': 0.5,
  'generator.lr': 1e-5,
  'speed/images per second': 7,
};
const tensors: Readonly<Record<string, TensorData>> = {
  grad,
  bad,
  'generator.parameters': { shape: [2], data: Float32Array.of(3, 4) },
};
const names: Names = {
  find: (name) =>
    Object.hasOwn(tensors, name) ? async () => tensors[name]! : new Map(Object.entries(numbers)).get(name),
  list: () => [
    ...Object.keys(tensors).map((label) => ({ label, kind: 'tensor' as const })),
    ...Object.keys(numbers).map((label) => ({ label, kind: 'number' as const })),
  ],
};
const value = (text: string) => evaluate(parseExpression(text), names);
const list = async (text: string) => {
  const found = await value(text);
  return typeof found === 'number' ? found : [...found.data];
};

test('numbers, operators and their order are those of arithmetic', async () => {
  const cases: Readonly<Record<string, number>> = {
    '1 + 2 * 3': 7,
    '(1 + 2) * 3': 9,
    '-2 ** 2': -4,
    '2 ** 3 ** 2': 512,
    '2 ** -1': 0.5,
    '7 % 4 - 1.5e1': -12,
    '.5 + 1.': 1.5,
    '1 < 2 && 2 >= 2 || 0': 1,
    '1 || nan': 1,
    '!nan': 1,
    'nan == nan': 0,
    '1 != 2': 1,
    'step > 100 && loss.fake < 1': 1,
    'generator.lr * 1e5': 1,
    '`speed/images per second` + 1': 8,
    'generator.parameters.norm': 5,
    'max(2, min(5, 3))': 3,
    'clamp(-1, 0, 2) + where(1 > 2, 5, 6)': 6,
    'round(pi * 100)': 314,
    'true - false': 1,
  };
  for (const [text, wanted] of Object.entries(cases)) {
    assert.ok(Math.abs(((await value(text)) as number) - wanted) < 1e-12, `${text} is ${await value(text)}`);
  }
});

test('tensors go number by number, are cut and stretched, and come to numbers', async () => {
  const { data } = grad;
  assert.deepEqual(await list('grad[1, 2]'), [...data.slice(20, 24)]);
  assert.deepEqual(await list('grad[-1, -1, -1]'), data[23]);
  assert.deepEqual(await list('grad[:, 1, 1:3]'), [data[5], data[6], data[17], data[18]]);
  assert.deepEqual(await list('grad[0][1, :2]'), [data[4], data[5]]);
  assert.deepEqual(await list('grad[1:1].size'), 0);
  assert.deepEqual(await list('grad.shape'), [2, 3, 4]);
  const shifted = [...data].map((number, i) => Math.fround(number - data[i % 12]!));
  assert.deepEqual(await list('grad - grad[:1]'), shifted);
  assert.deepEqual(await list('(grad > 0).sum'), data.filter((number) => number > 0).length);
  const sum = data.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(((await value('mean(grad)')) as number) - sum / 24) < 1e-12);
  assert.ok(Math.abs(((await value('cosine(grad, -2 * grad)')) as number) + 1) < 1e-6);
  assert.deepEqual(await list('[bad.nan, 1]'.slice(1, 8)), 1);
  assert.deepEqual(
    await Promise.all(['bad.inf', 'bad.zero', 'any(isnan(bad))', 'all(isfinite(bad))', 'abs(bad[3])'].map(list)),
    [1, 1, 1, 0, 2],
  );
  assert.ok(Number.isNaN(await value('bad.norm')), 'arithmetic keeps a NaN');
});

test('what cannot be computed says what, and where', async () => {
  const cases: Readonly<Record<string, RegExp>> = {
    '': /the end where a number, a name or \( is expected, at 1$/,
    '1 +': /the end where .* at 4$/,
    '1 < 2 < 3': /joined by && or \|\|, at 7$/,
    'grad[': /at 6$/,
    'grad[]': /an index is missing, at 5$/,
    '(1 + 2': /"?the end"? where \) for what was opened at 1 is expected/,
    'a ; b': /";" means nothing here, at 3$/,
    'gradient.norm': /there is no gradient\.norm here; there are grad, at 1$/,
    'grad.median': /there is no median of this; there are all, any/,
    'sine(1)': /there is no function sine, at 1$/,
    'clamp(1)': /clamp takes 3 arguments, not 1/,
    'grad[2]': /there is no 2 along an axis of 2/,
    'grad[0.5]': /0\.5 is no whole number/,
    'grad[0, 0, 0, 0]': /4 indices where there are 3 axes/,
    'grad + bad[:3]': /\[2,3,4\] and \[3\] do not go together, at 6$/,
    'grad && 1': /\[2,3,4\], not a single number/,
    'step[0]': /a single number has no parts/,
    'step = 1': /"=" where an operator or the end is expected/,
    constructor: /there is no constructor here/,
    '__proto__.norm': /there is no __proto__\.norm here/,
    'toString(1)': /there is no function toString/,
    '`open': /no second one, at 1$/,
  };
  for (const [text, message] of Object.entries(cases)) {
    await assert.rejects(async () => value(text), { name: 'UserError', kind: 'usage', message }, text);
  }
  await assert.rejects(async () => value(`${'('.repeat(5000)}1`), { message: /nested too deeply/ });
  const many = { find: () => async () => ({ shape: [2 ** 13, 1], data: new Float32Array(2 ** 13) }), list: () => [] };
  const outer = parseExpression('a * where(a, a, a) + a[:, 0]');
  await assert.rejects(evaluate(outer, many), { message: /67108864 numbers are more than/ });
});

test('only names and their parts can be set', () => {
  const statement = parseStatement('grad[0, 1:] = 2 * x');
  assert.ok('target' in statement && statement.target.kind === 'index');
  for (const text of ['1 = 2', 'a + b = 2', 'mean(a) = 1', 'a = b = c'])
    assert.throws(() => parseStatement(text), { kind: 'usage' });
});

test('completion knows names, what tensors have, and functions', () => {
  const labels = (text: string) => completions(text, text.length, names).items.map(({ label }) => label);
  assert.deepEqual(labels('1 + gr'), ['grad']);
  assert.ok(labels('grad.n').includes('grad.norm'));
  assert.deepEqual(completions('1 + grad.no', 11, names).start, 4);
  assert.ok(labels('mean(ge').includes('generator.parameters') && labels('me').includes('mean'));
});

test('statistics are those of all numbers together, however they are cut, and count what is not finite', () => {
  const data = stream(uniform(), 'many')
    .randn(10_000)
    .map((number, i) => (i % 97 === 0 ? 0 : 1e4 + number));
  data[5] = Number.NaN;
  data[6] = Number.NEGATIVE_INFINITY;
  data[9999] = Number.POSITIVE_INFINITY;
  const whole = statisticsOf(data);
  const cut = new Summary();
  for (let at = 0; at < data.length; at += 777) cut.add(data.subarray(at, at + 777));
  const finite = [...data].filter(Number.isFinite);
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  const std = Math.sqrt(finite.reduce((all, number) => all + (number - mean) ** 2, 0) / finite.length);
  for (const found of [whole, cut.statistics]) {
    assert.ok(Math.abs(found.mean - mean) < 1e-8 && Math.abs(found.std - std) < 1e-8, JSON.stringify(found));
    assert.deepEqual([found.nan, found.positiveInfinity, found.negativeInfinity, found.zero], [1, 1, 1, 104]);
    assert.deepEqual([found.min, found.max], [0, Math.max(...finite)]);
  }
  assert.deepEqual(statisticsOf(Float32Array.of(Number.NaN)).mean, Number.NaN);
});
