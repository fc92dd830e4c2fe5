/** Training that several ranks share, with ranks of this process: what each computes, what they sum, and what one of them can do to all. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { refuseRanks } from '../../backend/cli/ranks.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { initialParameters, unpackParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { stream } from '../../backend/random/stream.ts';
import { launchedRanks } from '../../backend/ranks/launched.ts';
import { alone, type Ranks, RanksFailed } from '../../backend/ranks/ranks.ts';
import { rollCall } from '../../backend/ranks/roll-call.ts';
import { streamDraws } from '../../backend/training/draws.ts';
import { shareState } from '../../backend/training/share-state.ts';
import { NumericStop, type Trainer } from '../../backend/training/trainer.ts';
import { testSeed } from '../random.ts';
import { edmDistillation } from './training/edm-distillation.ts';
import { metRanks } from './training/met-ranks.ts';
import { savedBy } from './training/saved.ts';
import { labelDim, tinyNetwork } from './training/tiny.ts';

const network = createNetwork(tinyNetwork);
const [batch, seed] = [2, testSeed];
const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

const update = {
  ...{ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ weightDecay: 0.01, clip: 1, emaDecays: [0.9] },
};
const weights = (name: string) =>
  unpackParameters(network.layout, initialParameters(network.layout, stream(seed, name)));
const normal = (...path: (string | number)[]): TensorData => {
  const shape = [batch, ...network.imageShape];
  return { shape, data: stream(seed, ...path).randn(sizeOf(shape)) };
};
const labels = { shape: [batch, labelDim], data: Float32Array.of(1, 0, 0, 0, 0, 1) };

interface Variant {
  readonly accumulation?: number;
  readonly fakeUpdates?: number;
  /** What becomes of a pair of images in step 2, micro-batch 1. */
  readonly spoil?: (y: TensorData) => void;
}

async function trainerOf(ranks: Ranks, { accumulation = 1, fakeUpdates = 1, spoil }: Variant = {}): Promise<Trainer> {
  const { trainer } = await edmDistillation(cpu, {
    ...{ network, teacherParameters: weights('teacher'), batch, sigmas: [0.05, 1, 20], ranks },
    ...{ matching: { weight: 'eq8', realOnly: false }, seed, accumulation, fakeUpdates },
    regression: { batch, distance: l2Distance },
    pairs: {
      async batch(step, micro) {
        const y = normal('y', step, micro);
        if (step === 2 && micro === 1) spoil?.(y);
        return { z: normal('z', step, micro), y, conditions: { labels } };
      },
    },
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] } },
      ...{ lambda: 0.25, firstLevel: 0, lastLevel: 2 },
    }),
    start: { generator: weights('generator'), fake: weights('fake') },
  });
  return trainer;
}

/** The trainers of all ranks, which the test frees. */
async function together(t: { after(done: () => Promise<void>): void }, size: number, variant: Variant = {}) {
  const ranks = metRanks(size);
  const trainers = await Promise.all(ranks.map((own) => trainerOf(own, variant)));
  t.after(async () => {
    for (const trainer of trainers) await trainer.dispose();
  });
  return { ranks, trainers };
}

for (const variant of [{ fakeUpdates: 1 }, { fakeUpdates: 3 }, { accumulation: 2 }]) {
  test(`two ranks are one process with twice the micro-batches: ${JSON.stringify(variant)}`, async (t) => {
    const { trainers } = await together(t, 2, variant);
    const single = await trainerOf(alone, { ...variant, accumulation: 2 * (variant.accumulation ?? 1) });
    t.after(() => single.dispose());
    assert.equal(trainers[0]!.imagesPerStep, single.imagesPerStep);
    for (let step = 1; step <= 3; step++) {
      const [a, b] = await Promise.all(trainers.map((trainer) => trainer.advance()));
      const whole = await single.advance();
      assert.deepEqual(a, b);
      const { lossMatching } = whole.scalars;
      for (const [name, value] of Object.entries(whole.scalars)) {
        // The gradient's mean is what is left of both signs: its error is one of the gradient's own size.
        const size = name === 'gradientMean' ? Math.sqrt(lossMatching!) : Math.abs(value);
        assert.ok(Math.abs(a!.scalars[name]! - value) <= 1e-6 * size, `${name}: ${a!.scalars[name]} ${value}`);
      }
    }
    const [first, second] = await Promise.all(trainers.map(savedBy));
    assert.deepEqual(first, second);
    const one = await savedBy(single);
    // One micro-batch each is the same sum; more are added in another order.
    if (variant.accumulation === undefined) return assert.deepEqual(first, one);
    for (const [file, arrays] of one) {
      for (const [name, { data }] of arrays) {
        const own = first!.get(file)!.get(name)!.data;
        const off = Math.max(...data.map((value, i) => Math.abs(value - own[i]!)));
        assert.ok(off < 1e-5, `${file} ${name}: ${off}`);
      }
    }
  });
}

test('a number that is not finite on the other rank: nobody commits, and the leader has that very micro-batch in hand', async (t) => {
  const spoil = ({ data }: TensorData) => {
    data[5] = Number.NaN;
  };
  const { trainers } = await together(t, 2, { spoil });
  await Promise.all(trainers.map((trainer) => trainer.advance()));
  const before = await Promise.all(trainers.map(savedBy));
  const ends = await Promise.allSettled(trainers.map((trainer) => trainer.advance()));
  const [leader, other] = ends.map((end) => (end.status === 'rejected' ? (end.reason as unknown) : undefined));
  assert.ok(leader instanceof NumericStop && other instanceof NumericStop);
  assert.deepEqual(leader.scalars, other.scalars);
  assert.equal(other.tensors.size, 0);
  const draws = streamDraws(seed, network.imageShape, classConditions(network.labelDim));
  const { z } = draws.latents({ step: 2, micro: 1, update: 0 }, batch);
  assert.deepEqual(leader.tensors.get('z')!.data, z.data);
  assert.deepEqual(await Promise.all(trainers.map(savedBy)), before);
});

test('what goes wrong on one rank ends the others, with its words', async (t) => {
  const spoil = () => {
    throw new UserError('data', 'pairs-3 is damaged');
  };
  const { ranks, trainers } = await together(t, 2, { spoil });
  await Promise.all(trainers.map((trainer) => trainer.advance()));
  const [leader, other] = await Promise.allSettled(
    trainers.map(async (trainer, rank) => {
      try {
        await trainer.advance();
      } catch (error) {
        await ranks[rank]!.fail(error);
        throw error;
      }
    }),
  );
  assert.ok(leader?.status === 'rejected' && leader.reason instanceof RanksFailed);
  assert.equal(leader.reason.message, 'rank 1 failed: pairs-3 is damaged');
  assert.equal(leader.reason.lost, false);
  assert.ok(other?.status === 'rejected' && other.reason.message === 'pairs-3 is damaged');
});

test("a rank that begins anew takes the leader's iteration and its numbers", async (t) => {
  const { ranks, trainers } = await together(t, 3);
  const single = await trainerOf(alone);
  t.after(() => single.dispose());
  for (let step = 0; step < 2; step++) await single.advance();
  const states = [single, trainers[1]!, trainers[2]!];
  await Promise.all(states.map((trainer, rank) => shareState(ranks[rank]!, trainer)));
  assert.deepEqual(
    states.map(({ step }) => step),
    [2, 2, 2],
  );
  const saved = await Promise.all(states.map(savedBy));
  assert.deepEqual(saved[1], saved[0]);
  assert.deepEqual(saved[2], saved[0]);
});

test('a roll call names every rank that differs, and in what, to all of them', async () => {
  const ranks = metRanks(3);
  const facts = [
    { version: '1', batch: '4' },
    { version: '1', batch: '8' },
    { version: '2', batch: '4' },
  ];
  const ends = await Promise.allSettled(ranks.map((own, i) => rollCall(own, facts[i]!)));
  for (const end of ends) {
    assert.ok(end.status === 'rejected');
    assert.equal(
      end.reason.message,
      'the ranks are not alike: version is 1 on rank 0, 2 on rank 2; batch is 4 on rank 0, 8 on rank 1',
    );
  }
  await Promise.all(metRanks(2).map((own) => rollCall(own, { version: '1' })));
});

test('who started the process is read from its environment', () => {
  const openMpi = { OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4' };
  const local = { OMPI_COMM_WORLD_LOCAL_RANK: '1', OMPI_COMM_WORLD_LOCAL_SIZE: '2' };
  assert.deepEqual(launchedRanks({ ...openMpi, ...local }), {
    ...{ rank: 3, size: 4, local: { rank: 1, size: 2 }, launcher: 'Open MPI' },
  });
  assert.deepEqual(launchedRanks({ PMI_RANK: '0', PMI_SIZE: '2', MPI_LOCALRANKID: '0', MPI_LOCALNRANKS: '2' }), {
    ...{ rank: 0, size: 2, local: { rank: 0, size: 2 }, launcher: 'MPICH' },
  });
  const slurm = { PMIX_RANK: '5', SLURM_PROCID: '5', SLURM_STEP_NUM_TASKS: '8', SLURM_LOCALID: '1' };
  assert.deepEqual(launchedRanks({ ...slurm, SLURM_NTASKS_PER_NODE: '4' }), {
    ...{ rank: 5, size: 8, local: { rank: 1, size: 4 }, launcher: 'Open MPI' },
  });
  assert.equal(launchedRanks({ SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '8' }), null, 'a step without MPI');
  for (const env of [{}, { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' }, { PMI_RANK: 'x', PMI_SIZE: '2' }]) {
    assert.equal(launchedRanks(env), null);
  }
  assert.throws(
    () => refuseRanks('devices', openMpi),
    /dmd devices is one process's work, and Open MPI started 4 of it/,
  );
  for (const command of ['teach', 'pairs', 'eval']) refuseRanks(command, openMpi);
  refuseRanks('devices', {});
});
