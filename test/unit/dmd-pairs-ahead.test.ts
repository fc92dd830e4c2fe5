/** The pairs of the next micro-batch are read while this one is computed, and are those that would be read without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PairSet } from '../../backend/data/pairs.ts';
import type { Engine } from '../../backend/engine/engine.ts';
import { openReferencePairs, type PairMaking } from '../../backend/methods/common/pairs.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { randomBelow } from '../random.ts';

/** Large enough to be left on the disk. */
const shape = [1, 128, 128];
const size = 128 * 128;

/** Every pair holds its own number; `bad` cannot be read. */
function opened(asked: number[][], bad?: number) {
  const row = (indices: readonly number[], size: number) => indices.flatMap((index) => Array(size).fill(index));
  const set: Pick<PairSet, 'config' | 'count' | 'shape' | 'labelDim' | 'batch'> = {
    ...{ config: {} as PairSet['config'], count: 50, shape, labelDim: 0 },
    async batch(indices) {
      if (indices.length > 0) asked.push([...indices]);
      if (bad !== undefined && asked.length === bad) throw new Error('damaged');
      const of = (size: number, dims: readonly number[]) => {
        return { shape: [indices.length, ...dims], data: Float32Array.from(row(indices, size)) };
      };
      return { z: of(size, shape), y: of(size, shape), labels: of(0, [0]) };
    },
  };
  const seed = randomBelow(1e6);
  const text = { kind: 'distill', seed, accumulation: 2, regression: { pairs: { path: 'pairs' } } };
  const config = parseConfig(JSON.stringify(text), 'test');
  assert.ok(config.kind === 'distill');
  const pairs = { open: async () => ({ set, prompts: null }) } as unknown as PairMaking;
  const conditions = classConditions(0);
  const open = { source: conditions, ofPairs: () => conditions, dispose: async () => {} };
  const options = { engine: {} as Engine, onProgress() {}, signal: new AbortController().signal };
  return openReferencePairs(config, '', { path: 't', sha256: '', pairs }, open, options);
}

test('in turn each batch is read once, one ahead; out of turn too they are the same', async () => {
  const asked: number[][] = [];
  const { pairs } = await opened(asked);
  const seen: number[][] = [];
  for (const [step, micro] of [
    [1, 0],
    [1, 1],
    [2, 0],
  ] as const) {
    const { z } = await pairs.batch(step, micro, 3);
    seen.push([...z.data].filter((_, i) => i % size === 0));
    assert.equal(asked.length, seen.length + 1, 'one more than was asked for');
  }
  assert.deepEqual(asked.slice(0, 3), seen);
  const { z } = await pairs.batch(1, 1, 3);
  assert.deepEqual(
    [...z.data].filter((_, i) => i % size === 0),
    seen[1],
  );
});

test('what cannot be read ahead fails the batch that needs it, and no other', async () => {
  const { pairs } = await opened([], 2);
  await pairs.batch(1, 0, 3);
  await new Promise(setImmediate);
  await assert.rejects(pairs.batch(1, 1, 3), /damaged/);
});
