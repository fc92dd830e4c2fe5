/** No two draws of an iteration share numbers: a z that is also the noise would correlate what must be independent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classConditions } from '../../backend/models/conditions.ts';
import { type DrawPoint, drawnAhead, type LevelRange, streamDraws } from '../../backend/training/draws.ts';

const shape = [2, 3, 3];
const conditions = classConditions(4);
const range = { first: 0, last: 3 };

test('every draw of an iteration has a stream of its own', () => {
  const draws = streamDraws(7, shape, conditions);
  const points = [1, 2].flatMap((step) =>
    [0, 1].flatMap((micro) => [0, 1, 2].map((update) => ({ step, micro, update }))),
  );
  const numbers = points.flatMap((point) => [
    draws.latents(point, 5).z.data,
    draws.fake(point, 5, range).noise.data,
    ...(point.update === 0 ? [draws.matching(point, 5, range).noise.data] : []),
  ]);
  const seen = new Set(numbers.flatMap((data) => [...data]));
  assert.equal(seen.size, numbers.length * 5 * 18);
});

test('the same point draws the same numbers', () => {
  const point = { step: 3, micro: 0, update: 1 };
  const [a, b] = [streamDraws(7, shape, conditions), streamDraws(7, shape, conditions)];
  assert.deepEqual(a.latents(point, 2), b.latents(point, 2));
  assert.notDeepEqual(a.latents(point, 2), streamDraws(8, shape, conditions).latents(point, 2));
});

test('draws that are made ahead are those of the point, each once, whatever is asked for instead', async () => {
  const plain = streamDraws(7, shape, conditions);
  const drawn: number[] = [];
  const counted = {
    ...plain,
    fake(at: DrawPoint, count: number, levels: LevelRange) {
      drawn.push(at.step);
      return plain.fake(at, count, levels);
    },
  };
  const draws = drawnAhead(counted);
  const idle = () => new Promise((resolve) => setImmediate(resolve));
  for (const [step, first] of [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 1],
    [9, 1],
    [9, 1],
    [10, 1],
  ] as const) {
    for (const micro of [0, 1]) {
      const at = { step, micro, update: 0 };
      assert.deepEqual(draws.fake(at, 2, { ...range, first }), plain.fake(at, 2, { ...range, first }));
      assert.deepEqual(draws.latents(at, 2), plain.latents(at, 2));
    }
    await idle();
  }
  // Steps 2, 3 and 10 waited; 4 was asked for with other levels, 9 twice, and each time one more was drawn ahead.
  const times = (step: number) => drawn.filter((each) => each === step).length;
  assert.deepEqual([1, 2, 3, 4, 5, 9, 10, 11].map(times), [2, 2, 2, 4, 2, 4, 4, 2]);
});
