/** Latent distillations of the linear network, in microseconds an iteration. */

import { vpSchedule } from '../../../backend/diffusion/vp/index.ts';
import type { Engine } from '../../../backend/engine/engine.ts';
import { roundToHalves } from '../../../backend/graph/half.ts';
import { unpackParameters } from '../../../backend/graph/parameters.ts';
import { sizeOf } from '../../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../../backend/methods/common/distance.ts';
import { promptConditions } from '../../../backend/methods/common/latent-teacher.ts';
import type { DmdShape } from '../../../backend/methods/dmd/graphs.ts';
import { DmdProcedure } from '../../../backend/methods/dmd/procedure.ts';
import { latentModel } from '../../../backend/models/latent-model.ts';
import { trainedPart } from '../../../backend/models/trained-part.ts';
import { stream } from '../../../backend/random/stream.ts';
import { Trainer } from '../../../backend/training/trainer.ts';
import { contextDim, latentShape, linearNetwork, tokens } from './linear-network.ts';

export const batch = 2;
export const paired = 1;
const seed = 5;
const update = {
  ...{ learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ...{ weightDecay: 0.01, clip: 10, emaDecays: [0.9] },
};

const normal = (shape: readonly number[], ...path: (string | number)[]) => ({
  shape,
  data: stream(seed, ...path).randn(sizeOf(shape)),
});

export interface Variant extends Partial<Pick<DmdShape, 'matching' | 'regression' | 'guidance'>> {
  readonly accumulation?: number;
  /** float16: numbers of float16, held so; rounded: the same numbers held as float32. */
  readonly teacherAs?: 'float16' | 'rounded';
  readonly fakeUpdates?: number;
  readonly ranks?: { readonly generator: number | null; readonly fake: number | null };
  /** Step whose pairs hold a NaN. */
  readonly poisoned?: number;
}

/** The linear network as the latent model of the tests. */
export const model = latentModel(linearNetwork, {
  ...{ prediction: 'epsilon', tokens },
  schedule: vpSchedule({ beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 }),
});

export async function latentTraining(engine: Engine, variant: Variant = {}) {
  const { accumulation = 1, fakeUpdates = 1, ranks, poisoned, guidance = 3 } = variant;
  const { matching = { weight: 'eq8', realOnly: false } } = variant;
  const { regression = { batch: paired, distance: l2Distance } } = variant;
  const { layout } = linearNetwork;
  const flat = stream(seed, 'teacher').randn(layout.size);
  if (variant.teacherAs) roundToHalves(flat);
  const teacherWeights = unpackParameters(layout, flat);
  const parts = {
    generator: trainedPart(layout, ranks?.generator ?? null),
    fake: trainedPart(layout, ranks?.fake ?? null),
  };
  const start = (part: 'generator' | 'fake') => parts[part].start(teacherWeights, stream(seed, part));
  const procedure = await DmdProcedure.create(engine, {
    ...{ teacher: model, student: model, ...parts, batch, guidance, pairsMatch: true },
    ...{ matching, regression, seed, teacherWeights, accumulation, fakeUpdates, emas: [0.9] },
    halfTeacher: variant.teacherAs === 'float16',
    start: { generator: start('generator'), fake: start('fake') },
    conditions: promptConditions({
      count: 7,
      unconditional: normal([1, tokens, contextDim], 'unconditional'),
      async embeddings(prompts) {
        const data = prompts.flatMap((prompt) => [...normal([tokens, contextDim], 'prompt', prompt).data]);
        return { shape: [prompts.length, tokens, contextDim], data: Float32Array.from(data) };
      },
    }),
    pairs: {
      async batch(step, micro, count) {
        const y = normal([count, ...latentShape], 'y', step, micro);
        if (step === poisoned) y.data[3] = Number.NaN;
        return {
          z: normal([count, ...latentShape], 'z', step, micro),
          y,
          conditions: { context: normal([count, tokens, contextDim], 'context', step, micro) },
        };
      },
    },
    settings: () => ({
      ...{ generator: update, fake: { ...update, emaDecays: [] }, lambda: 0.25 },
      ...{ firstLevel: 20, lastLevel: 980 },
    }),
  });
  const trainer = new Trainer(engine, procedure);
  return Object.assign(trainer, { generatorWeights: () => procedure.generatorWeights() });
}
