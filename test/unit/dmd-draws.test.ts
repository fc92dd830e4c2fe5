/** No two draws of an iteration share numbers: a z that is also the noise would correlate what must be independent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamDraws } from '../../backend/training/draws.ts';

const network = {
  layout: { entries: [], size: 0, trainedSize: 0 },
  imageShape: [2, 3, 3],
  labelDim: 4,
  denoise: () => {
    throw new Error('nothing is computed here');
  },
};
const range = { levels: [1, 2, 3, 4], first: 0, last: 3 };

test('every draw of an iteration has a stream of its own', () => {
  const draws = streamDraws(7, 5, network);
  const points = [1, 2].flatMap((step) =>
    [0, 1].flatMap((micro) => [0, 1, 2].map((update) => ({ step, micro, update }))),
  );
  const numbers = points.flatMap((point) => [
    draws.latents(point).z.data,
    draws.fake(point, range).noise.data,
    ...(point.update === 0 ? [draws.matching(point, range).noise.data] : []),
  ]);
  const seen = new Set(numbers.flatMap((data) => [...data]));
  assert.equal(seen.size, numbers.length * 5 * 18);
});

test('the same point draws the same numbers', () => {
  const point = { step: 3, micro: 0, update: 1 };
  const [a, b] = [streamDraws(7, 2, network), streamDraws(7, 2, network)];
  assert.deepEqual(a.latents(point), b.latents(point));
  assert.notDeepEqual(a.latents(point), streamDraws(8, 2, network).latents(point));
});
