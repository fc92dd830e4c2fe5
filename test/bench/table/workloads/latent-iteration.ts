/** One DMD iteration of the built-in text model as its preset has it: 8 latents and 8 pairs, guidance 3. */
import path from 'node:path';
import { vpSchedule } from '../../../../backend/diffusion/vp/index.ts';
import { packageRoot } from '../../../../backend/files/package.ts';
import { packParameters } from '../../../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../../../backend/methods/common/distance.ts';
import { promptConditions } from '../../../../backend/methods/common/latent-teacher.ts';
import { DmdProcedure } from '../../../../backend/methods/dmd/procedure.ts';
import { latentModel } from '../../../../backend/models/latent-model.ts';
import { openTextModel } from '../../../../backend/models/text/text-model.ts';
import { trainedPart } from '../../../../backend/models/trained-part.ts';
import { createTextUNet } from '../../../../backend/nets/stable-diffusion/index.ts';
import { stream } from '../../../../backend/random/stream.ts';
import type { Draws } from '../../../../backend/training/draws.ts';
import { Trainer } from '../../../../backend/training/trainer.ts';
import { writeSafetensors } from '../../../../backend/weights/safetensors.ts';
import { caseFile, type Workload } from '../workload.ts';
import { scalarAnswers } from './scalars.ts';

const [batch, guidance, lambda] = [8, 3, 0.25];
const update = { learningRate: 5e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clip: 10 };
const teacher = path.join(packageRoot(), 'media/scenes-text/teacher');

/** Everything that an iteration draws, twice: recorded for the first one, of another stream for each later one. */
function drawn(step: number, latent: readonly number[], context: readonly number[]) {
  const own = (what: string) => stream(31, what, String(step));
  const normal = (what: string, shape: readonly number[]): TensorData => {
    return { shape: [...shape], data: own(what).randn(sizeOf(shape)) };
  };
  const timesteps = (what: string, from: number, to: number): TensorData => {
    return { shape: [2 * batch], data: Float32Array.from(own(what).randint(from, to, 2 * batch)) };
  };
  return {
    ...{ z: normal('z', [2 * batch, ...latent]), context: normal('context', [2 * batch, ...context]) },
    ...{ noise: normal('noise', [2 * batch, ...latent]), fakeNoise: normal('fake noise', [2 * batch, ...latent]) },
    ...{ t: timesteps('t', 20, 981), fakeT: timesteps('fake t', 0, 1000), y: normal('y', [batch, ...latent]) },
    unconditional: normal('unconditional', [1, ...context]),
  };
}

const firstRows = (tensor: TensorData) => rows(tensor, 0);
const lastRows = (tensor: TensorData) => rows(tensor, batch);
function rows({ shape: [, ...shape], data }: TensorData, from: number): TensorData {
  const size = sizeOf(shape);
  return { shape: [batch, ...shape], data: data.slice(from * size, (from + batch) * size) };
}

function opened() {
  const model = openTextModel(teacher);
  const network = createTextUNet(model.unet.config);
  const { maxTokens } = model.tokenizer;
  return { model, network, latent: network.latentShape, context: [maxTokens, network.contextDim] };
}

export const latentIteration: Workload = {
  async prepare(folder) {
    const { latent, context, model } = opened();
    const { alpha } = model.schedule;
    const alphas = Float32Array.from({ length: model.schedule.timesteps }, (_, i) => alpha.call(model.schedule, i));
    const tensors = { ...drawn(1, latent, context), alphas: { shape: [alphas.length], data: alphas } };
    const unet = path.join(teacher, 'unet');
    const settings = JSON.stringify({ batch, guidance, lambda, update, unet, prediction: model.predictionType });
    const metadata = { kind: 'latent-iteration', settings };
    await writeSafetensors(path.join(folder, caseFile), new Map(Object.entries(tensors)), { metadata });
  },
  async ready({ engine, begin }) {
    begin();
    const { model, network, latent, context } = opened();
    const weights = await model.readWeights('unet');
    const kept = new Map<number, ReturnType<typeof drawn>>();
    const at = (step: number) => {
      const known = kept.get(step) ?? drawn(step, latent, context);
      kept.clear();
      kept.set(step, known);
      return known;
    };
    const draws: Draws = {
      latents: ({ step }) => ({
        z: firstRows(at(step).z),
        rows: { shape: [batch, 1], data: new Float32Array(batch).fill(step) },
      }),
      matching: ({ step }) => ({ indices: [...at(step).t.data], noise: at(step).noise }),
      fake: ({ step }) => ({ indices: [...at(step).fakeT.data], noise: at(step).fakeNoise }),
    };
    const schedule = vpSchedule(model.schedulerConfig);
    const denoiser = latentModel(network, { prediction: model.predictionType, tokens: context[0]!, schedule });
    const part = trainedPart(network.layout, null);
    const start = packParameters(network.layout, weights);
    const procedure = await DmdProcedure.create(engine, {
      ...{ teacher: denoiser, student: denoiser, generator: part, fake: part, guidance, batch, draws },
      ...{ pairsMatch: true, halfTeacher: false, teacherWeights: weights, seed: 0 },
      ...{ accumulation: 1, fakeUpdates: 1, emas: [], start: { generator: start, fake: start } },
      matching: { weight: 'eq8', realOnly: false },
      regression: { batch, distance: l2Distance },
      conditions: promptConditions({
        count: 1,
        unconditional: at(1).unconditional,
        embeddings: async ([step]) => firstRows(at(step!).context),
      }),
      pairs: {
        batch: async (step) => {
          const { z, y, context: all } = at(step);
          return { z: lastRows(z), y, conditions: { context: lastRows(all) } };
        },
      },
      settings: () => ({
        ...{ generator: { ...update, emaDecays: [] }, fake: { ...update, emaDecays: [] } },
        ...{ lambda, firstLevel: 20, lastLevel: 980 },
      }),
    });
    return scalarAnswers(new Trainer(engine, procedure));
  },
};
