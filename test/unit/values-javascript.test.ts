/** Arrays of a JavaScript program, read through the engine's own debugging protocol. js-debug itself: test/e2e/values.test.ts. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Cut, statistic, statisticNames } from '../../backend/protocol/values/value.ts';
import type { Debuggee } from '../../extension/values/debuggee.ts';
import { readValue } from '../../extension/values/read.ts';
import { Inspected } from './values/inspected.ts';
import { expectedStatistics, oddNumbers } from './values/numbers.ts';

const inspected = new Inspected();
after(() => inspected.dispose());
const answer = inspected.debuggee();
const debuggee: Debuggee = {
  ...answer,
  request(command, args) {
    const { frameId, context } = args as { frameId: number; context: string };
    assert.deepEqual([command, frameId, context], ['evaluate', 1, 'clipboard']);
    return answer.request(command, args);
  },
};

const numbers = oddNumbers(2 * 3 * 4 * 5);

/** The program's own variables. */
const program = `
var values = new Float32Array(new Uint32Array(${JSON.stringify(Array.from(new Uint32Array(numbers.buffer)))}).buffer);
var nested = [[1, 2.5, NaN], [Infinity, -1, 0]];
var tensor = { dims: [2, 3, 4, 5], data: values, type: 'float32' };
var strided = { shape: [3, 2], stride: [1, 3], offset: 1, data: Float64Array.of(9, 1, 2, 3, 4, 5, 6) };
var image = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255) };
var counts = BigInt64Array.of(2n ** 40n, 5n);
var broken = { get dims() { throw new Error('it is on the GPU'); } };
`;
await inspected.run(program);

const cut: Cut = { at: [1, null, null, null], step: [1, 1, 2, 3], order: [1, 2, 3] };
const whole = (axes: number): Cut => ({
  at: new Array(axes).fill(null),
  step: new Array(axes).fill(1),
  order: Array.from({ length: axes }, (_, axis) => axis),
});

function ask(expression: string, shown: Cut | null, shape: number[] | null = null) {
  return readValue(debuggee, { expression, shape, count: true, cut: shown });
}

test('typed arrays in a shape, tensors of libraries and nested arrays are read as they are', async () => {
  const names = 'JSON.stringify(Object.getOwnPropertyNames(globalThis))';
  const before = await inspected.run(names);
  const seen: number[] = [];
  for (let c = 0; c < 3; c++)
    for (const y of [0, 2]) for (const x of [0, 3]) seen.push(numbers[((3 + c) * 4 + y) * 5 + x]!);
  for (const value of [await ask('values // flat', cut, [2, 3, 4, 5]), await ask('tensor', cut)]) {
    assert.deepEqual([value.shape, value.dtype], [[2, 3, 4, 5], 'float32']);
    assert.deepEqual([...value.numbers!], seen);
    const expected = expectedStatistics(numbers);
    for (const name of statisticNames) {
      const found = statistic(value, name);
      assert.ok(Math.abs(found - expected[name]) <= 1e-9, `${name} is ${found}, not ${expected[name]}`);
    }
  }
  const nested = await ask('nested', whole(2));
  assert.deepEqual([...nested.numbers!], [1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, -1, 0]);
  const strided = await ask('strided', whole(2));
  assert.deepEqual([...strided.numbers!], [1, 4, 2, 5, 3, 6]);
  const turned = await ask('strided', { ...whole(2), order: [1, 0] });
  assert.deepEqual([...turned.numbers!], [1, 2, 3, 4, 5, 6]);
  const image = await ask('image', { ...whole(3), order: [2, 0, 1] });
  assert.deepEqual(
    [image.shape, [...image.numbers!]],
    [
      [1, 2, 4],
      [1, 4, 2, 5, 3, 6, 255, 255],
    ],
  );
  assert.deepEqual([...(await ask('counts', whole(1))).numbers!], [2 ** 40, 5]);
  assert.deepEqual([...(await ask('0.5', whole(0))).numbers!], [0.5]);
  assert.equal(await inspected.run(names), before);
});

test('what is no array, and what would change the program, is refused in words', async () => {
  for (const [expression, words] of [
    ['missing', /ReferenceError: missing is not defined/],
    ['values[', /SyntaxError/],
    ['null', /no array of numbers but null/],
    ['{}', /SyntaxError|no array of numbers/],
    ['"text"', /no array of numbers but string/],
    ['new ArrayBuffer(8)', /no array of numbers but ArrayBuffer/],
    ['new DataView(new ArrayBuffer(8))', /no array of numbers but DataView/],
    ['[["a"]]', /holds string/],
    ['[[1], [2, 3]]', /rows differ in length/],
    ['[]', /is empty/],
    ['[[[[[[1]]]]]]', /has 6 axes/],
    ['broken', /could not be read: Error: it is on the GPU/],
    ['new Array(2000000).fill(0)', /list of 2000000 numbers/],
    ['values = null', /would change the program \(=\)/],
    ['values[0]++', /would change the program \(\+\+\)/],
    ['delete values.x', /would change the program \(delete\)/],
  ] as const) {
    await assert.rejects(ask(expression, null), (error: Error) => {
      assert.match(error.message, words, expression);
      return true;
    });
  }
  await assert.rejects(ask('strided', null, [6]), /view with gaps/);
  await assert.rejects(ask('values', null, [7, 7]), /does not have that shape/);
  await assert.rejects(ask('values', cut), /another shape now: \[120\]/);
  await assert.rejects(ask('new Uint8Array(3000000)', whole(1)), /too large to be shown: 3000000 numbers/);
  assert.equal((await ask('[1, 2].map((n) => n * 2)', null)).library, 'Array', 'an arrow is no assignment');
  assert.equal((await ask('[1 == 1 ? 1 : 0, 2 >= 1 ? 1 : 0]', null)).library, 'Array', 'nor is a comparison');
});
