/** No two draws of an iteration share numbers: a z that is also the noise would correlate what must be independent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classConditions } from '../../backend/models/conditions.ts';
import { streamDraws } from '../../backend/training/draws.ts';

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
