/**
 * One whole DMD iteration (generate, scores, regression, both backward passes and updates, a second fake-score update on
 * new images) of a small SongUNet with attention, classes and every kind of block, on any engine.
 */

import type { Engine } from '../../../backend/engine/engine.ts';
import { initialParameters, unpackParameters } from '../../../backend/graph/parameters.ts';
import { sizeOf, type TensorData, tensorData } from '../../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../../backend/methods/common/distance.ts';
import { createNetwork } from '../../../backend/nets/index.ts';
import { stream } from '../../../backend/random/stream.ts';
import type { Trainer } from '../../../backend/training/trainer.ts';
import { edmDistillation, samePairs } from '../../unit/training/edm-distillation.ts';
import { type Recording, recordingEngine } from './recording-engine.ts';

const seed = 20;
const network = createNetwork({
  class: 'EDMPrecond',
  model_type: 'SongUNet',
  img_resolution: 8,
  img_channels: 3,
  label_dim: 3,
  model_channels: 8,
  channel_mult: [1, 2],
  num_blocks: 1,
  attn_resolutions: [4],
  dropout: 0,
});
const batch = 2;
const pairs = 3;

/** Weights as after some training: nothing is zero, so that every gradient is there. */
function weights(name: string): Map<string, TensorData> {
  const random = stream(seed, name);
  const flat = initialParameters(network.layout, random);
  const shift = random.randn(flat.length);
  return unpackParameters(
    network.layout,
    flat.map((value, i) => value + 0.02 * shift[i]),
  );
}

function normal(name: string, ...shape: number[]): TensorData {
  return tensorData(shape, stream(seed, name).randn(sizeOf(shape)));
}

/** Every output of every program run, in the order in which they were made, and the iteration's scalars. */
export async function runIteration(engine: Engine): Promise<Recording> {
  const recording: Recording = new Map();
  const trainer = await createTrainer(recordingEngine(engine, recording));
  const { scalars } = await trainer.advance();
  for (const [name, value] of Object.entries(scalars)) recording.set(name, Float32Array.of(value));
  await trainer.dispose();
  return recording;
}

export async function createTrainer(engine: Engine, accumulation = 1): Promise<Trainer> {
  const update = {
    ...{ learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 1 },
    emaDecays: [0.9],
  };
  const { trainer } = await edmDistillation(engine, {
    ...{ network, teacherParameters: weights('teacher'), batch, sigmas: [0.05, 0.3, 1, 4, 20] },
    matching: { weight: 'eq8', realOnly: false },
    regression: { batch: pairs, distance: l2Distance },
    ...{ seed, accumulation, fakeUpdates: 2 },
    pairs: samePairs(
      normal('reference noise', pairs, 3, 8, 8),
      normal('reference images', pairs, 3, 8, 8),
      tensorData([pairs, 3], Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0)),
    ),
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda: 0.25 },
      ...{ firstLevel: 1, lastLevel: 3 },
    }),
    start: { generator: weights('generator'), fake: weights('fake') },
  });
  return trainer;
}
