/** Pairs and evaluations that several ranks share: bit for bit what one process makes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { requireWork } from '../../backend/cli/ranks.ts';
import { type PairBatch, writePairs } from '../../backend/data/pairs.ts';
import { evaluate, helpEvaluate } from '../../backend/evaluate/evaluate.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { followBatches, leadBatches } from '../../backend/methods/common/shared-pairs.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { stream } from '../../backend/random/stream.ts';
import { assemble } from '../../backend/ranks/assemble.ts';
import { alone, type Ranks, RanksFailed } from '../../backend/ranks/ranks.ts';
import { metRanks } from './training/met-ranks.ts';
import { scratch } from './training/tiny.ts';

test('parts become one array bit for bit: minus zero, NaN and all', async () => {
  const ranks = metRanks(3);
  const parts = [Float32Array.of(-0, 1e-42), Float32Array.of(Number.NaN), Float32Array.of(-1.5, Infinity, 0)];
  const whole = Float32Array.from(parts.flatMap((part) => [...part]));
  const arrays = ranks.map(() => new Float32Array(whole.length));
  arrays[0]!.set(parts[0]!, 0);
  arrays[1]!.set(parts[1]!, 2);
  arrays[2]!.set(parts[2]!, 3);
  await Promise.all(ranks.map((own, i) => assemble(own, arrays[i]!)));
  for (const array of arrays) assert.deepEqual(new Uint32Array(array.buffer), new Uint32Array(whole.buffer));
});

const [shape, labelDim] = [[2, 3], 4];
const work = { shardSize: 10, batchSize: 4, seed: 5, shape, labelDim, config: { teacher: 'a' } };

async function makeBatch(indices: readonly number[]): Promise<PairBatch> {
  const rows = (name: string, numbers: number) =>
    Float32Array.from(indices.flatMap((index) => [...stream(5, name, index).randn(numbers)]));
  return {
    z: tensorData([indices.length, ...shape], rows('z', 6)),
    y: tensorData([indices.length, ...shape], rows('y', 6)),
    labels: tensorData([indices.length, labelDim], rows('labels', labelDim)),
  };
}

/** The batches that each rank made. */
async function makeTogether(folder: string, count: number, size: number, spoilt = -1): Promise<number[]> {
  const made = Array.from({ length: size }, () => 0);
  const one = async (ranks: Ranks) => {
    const make = async (indices: readonly number[]) => {
      made[ranks.rank]! += 1;
      if (spoilt === ranks.rank) throw new UserError('weights', 'the teacher is damaged');
      return makeBatch(indices);
    };
    const sharing = { ranks, shape, labelDim, make };
    try {
      if (ranks.rank > 0) return await followBatches(sharing);
      const lead = leadBatches(sharing);
      try {
        await writePairs(folder, { ...work, count, make: lead.make, onPlan: lead.plan });
      } finally {
        await lead.end();
      }
    } catch (error) {
      await ranks.fail(error);
      throw error;
    }
  };
  const ends = await Promise.allSettled((size === 1 ? [alone] : metRanks(size)).map(one));
  const [bad] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  if (bad) throw bad;
  return made;
}

const contents = (folder: string) =>
  Object.fromEntries(fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name), 'base64')]));

test('pairs of two and three ranks are those of one process, also where some are there already', async () => {
  const folder = () => path.join(scratch(), 'pairs');
  const one = folder();
  assert.deepEqual(await makeTogether(one, 27, 1), [8]);
  for (const [size, shares] of [
    [2, [4, 4]],
    [3, [3, 3, 2]],
  ] as const) {
    const several = folder();
    assert.deepEqual(await makeTogether(several, 27, size), shares);
    assert.deepEqual(contents(several), contents(one));
    fs.rmSync(path.join(several, 'pairs-00001.safetensors'));
    const again = await makeTogether(several, 27, size);
    assert.equal(
      again.reduce((a, b) => a + b),
      3,
      'only what was missing',
    );
    assert.deepEqual(contents(several), contents(one));
  }
});

test('pairs: what goes wrong on one rank ends all, and finished shards stay', async () => {
  const folder = path.join(scratch(), 'pairs');
  await assert.rejects(makeTogether(folder, 27, 2, 1), (error) => {
    assert.ok(error instanceof RanksFailed);
    assert.equal(error.message, 'rank 1 failed: the teacher is damaged');
    return true;
  });
  await makeTogether(folder, 27, 2);
  const one = path.join(scratch(), 'pairs');
  await makeTogether(one, 27, 1);
  assert.deepEqual(contents(folder), contents(one));
});

const dims = 3;

function evaluation(drawn: number[][], rank: number) {
  const own: number[] = [];
  drawn[rank] = own;
  return {
    ...{ count: 1030, seed: 3, prompts: ['a', 'b', 'c'] },
    promptScorer: {
      name: 'toy',
      scores: async (_: unknown, prompts: readonly string[]) =>
        prompts.map((prompt, i) => prompt.charCodeAt(0) / (i + 3)),
    },
    contestant: {
      ...{ name: 'toy', calls: 1, classes: 0, takesPrompts: true, imageShape: [1, 1, dims] as const },
      async draw({ seeds }: { readonly seeds: readonly number[] }) {
        own.push(...seeds);
        const data = Float32Array.from(seeds.flatMap((seed) => [...stream(seed, 'toy').randn(dims)]));
        return tensorData([seeds.length, 1, 1, dims], data);
      },
      drawOne: async () => tensorData([1, 1, 1, dims], new Float32Array(dims)),
      async dispose() {},
    },
    compared: {
      space: {
        dims,
        distanceName: 'FD',
        features: async ({ data }: { data: Float32Array }) => data.slice(),
        async dispose() {},
      },
      reference: {
        ...{ label: 'toys', prompts: null, features: tensorData([40, dims], stream(1, 'reference').randn(40 * dims)) },
        statistics: { mean: new Float64Array(dims), covariance: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) },
        right: (_: unknown, pictures: readonly { index: number }[]) => {
          const of = (n: number) => pictures.filter(({ index }) => index % n === 0).length;
          return { all: of(3), parts: { halves: of(2), sevenths: of(7) } };
        },
      },
    },
  };
}

test('an evaluation of two and four ranks has the numbers of one process, each rank its share of the pictures', async () => {
  const drawn: number[][] = [];
  const { secondsPerImage: _, ...whole } = await evaluate(evaluation(drawn, 0) as never);
  assert.ok(whole.distance! > 0 && whole.promptScore! > 0 && whole.precision !== null);
  for (const size of [2, 4]) {
    const [leader] = await Promise.all(
      metRanks(size).map((ranks) => {
        const options = { ...evaluation(drawn, ranks.rank), ranks } as never;
        return ranks.rank === 0 ? evaluate(options) : helpEvaluate(options);
      }),
    );
    const { secondsPerImage: __, ...shared } = leader as Awaited<ReturnType<typeof evaluate>>;
    assert.deepEqual(shared, whole);
    const shares = drawn.slice(0, size).map(({ length }) => length);
    assert.deepEqual(shares, size === 2 ? [530, 500] : [280, 250, 250, 250]);
  }
});

test('an evaluation that is stopped ends on every rank', async () => {
  const ends = await Promise.allSettled(
    metRanks(2).map((ranks) => {
      const options = { ...evaluation([], ranks.rank), ranks };
      if (ranks.rank > 0) return helpEvaluate(options as never);
      const stop = new AbortController();
      return evaluate({ ...options, signal: stop.signal, onProgress: () => stop.abort() } as never);
    }),
  );
  for (const end of ends) assert.ok(end.status === 'rejected' && (end.reason as UserError).kind === 'cancelled');
});

test('more ranks than there is to share are refused', () => {
  assert.throws(() => requireWork({ ...alone, size: 4 }, 3, 'pairs'), /4 ranks are to share 3 pairs/);
  requireWork({ ...alone, size: 4 }, 4, 'pairs');
});
