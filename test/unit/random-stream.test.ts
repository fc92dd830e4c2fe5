import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../backend/random/stream.ts';

test('a stream depends on its path alone', () => {
  const alone = stream(3, 'noise', 17).randn(40);
  stream(3, 'noise', 16).randn(1000);
  assert.deepEqual(stream(3, 'noise', 17).randn(40), alone);
});

test('every part of the path counts, its type and its borders too', () => {
  const paths: (string | number)[][] = [
    ['ab'],
    ['a', 'b'],
    ['1'],
    [1],
    ['noise', 1],
    ['noise', 1, 0],
    [1, 'noise'],
    [2 ** 32 + 1],
    [0.5],
    [''],
    [],
  ];
  const seen = new Map<string, string>();
  for (const seed of [0, 1, 2 ** 32, 2 ** 32 + 1]) {
    for (const path of paths) {
      const name = JSON.stringify([seed, ...path]);
      const first = [...stream(seed, ...path).randint(0, 2 ** 31, 2)].join();
      assert.equal(seen.get(first), undefined, `${name} and ${seen.get(first)} are the same stream`);
      seen.set(first, name);
    }
  }
  assert.throws(() => stream(Number.NaN, 'noise'), /not a finite number/);
});

test('neighbouring streams are uncorrelated normals', () => {
  const n = 4000;
  const draws = Array.from({ length: 8 }, (_, step) => stream(11, 'noise', step).randn(n));
  for (const [i, a] of draws.entries()) {
    for (const b of draws.slice(i)) {
      const product = a.reduce((sum, value, k) => sum + value * b[k]!, 0) / n;
      const expected = a === b ? 1 : 0;
      assert.ok(Math.abs(product - expected) < 0.1, `mean product ${product} where ${expected} is expected`);
    }
  }
});
