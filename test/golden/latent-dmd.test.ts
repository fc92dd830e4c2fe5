/**
 * Latent distillation against PyTorch and diffusers (record/latent_dmd.py): losses, gradient norms, latents and the matching
 * gradient of every iteration, and all weights after the last, with and without guidance, pairs and active clipping.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type PredictionType, vpSchedule } from '../../backend/diffusion/vp/index.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { promptConditions } from '../../backend/methods/common/latent-teacher.ts';
import type { MatchingWeight } from '../../backend/methods/dmd/matching.ts';
import { DmdProcedure } from '../../backend/methods/dmd/procedure.ts';
import { latentModel } from '../../backend/models/latent-model.ts';
import { trainedPart } from '../../backend/models/trained-part.ts';
import { createTextUNet } from '../../backend/nets/stable-diffusion/unet.ts';
import type { Draws } from '../../backend/training/draws.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { savedBy } from '../unit/training/saved.ts';

interface Variant {
  readonly name: string;
  readonly prediction: PredictionType;
  readonly guidance: number;
  readonly weight: MatchingWeight;
  readonly batch: number;
  readonly paired: number;
  readonly clip: number;
  readonly lambda: number;
  readonly iterations: readonly Readonly<Record<string, number>>[];
}

const file = (name: string) => fileURLToPath(new URL(`latent-dmd/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(file('case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('io.safetensors'));
const { tensors: weights } = await loadWeights(file('weights.safetensors'));
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

function near(actual: Float32Array, wanted: Float32Array, what: string, tolerance: number): void {
  assert.equal(actual.length, wanted.length, what);
  let largest = 0;
  let error = 0;
  for (let i = 0; i < wanted.length; i++) {
    largest = Math.max(largest, Math.abs(wanted[i]!));
    error = Math.max(error, Math.abs(actual[i]! - wanted[i]!));
  }
  assert.ok(error <= tolerance * largest, `${what}: off by ${error}, the largest is ${largest}`);
}

for (const recompute of ['none', 'blocks'] as const) {
  for (const variant of recorded.variants as Variant[]) {
    test(`three iterations as PyTorch does them: ${variant.name}, recomputing ${recompute}`, async () => {
      const at = (name: string): TensorData => io.get(`${variant.name}.${name}`)!;
      const { batch, paired, prediction, guidance } = variant;
      const network = createTextUNet(recorded.unet, { recompute });
      const [first, later] = [batch, paired].map((count, i) => (tensor: TensorData): TensorData => {
        const numbers = sizeOf(tensor.shape.slice(1));
        const start = i === 0 ? 0 : batch * numbers;
        return { shape: [count, ...tensor.shape.slice(1)], data: tensor.data.slice(start, start + count * numbers) };
      });
      const draws: Draws = {
        latents: ({ step }) => ({
          z: first!(at(`z${step}`)),
          rows: { shape: [batch, 1], data: new Float32Array(batch).fill(step) },
        }),
        matching: ({ step }) => ({ indices: [...at(`t${step}`).data], noise: at(`noise${step}`) }),
        fake: ({ step }) => ({ indices: [...at(`fakeT${step}`).data], noise: at(`fakeNoise${step}`) }),
      };
      const { lr, betas, eps, weight_decay: weightDecay } = recorded.optimizer;
      const update = {
        ...{ learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay },
        ...{ clip: variant.clip, emaDecays: [] },
      };
      const part = trainedPart(network.layout, null);
      const model = latentModel(network, {
        ...{ prediction, tokens: recorded.tokens, schedule: vpSchedule(recorded.scheduler) },
      });
      assert.equal(model.calledAt.t, recorded.generatorTimestep);
      const start = packParameters(network.layout, weights);
      const procedure = await DmdProcedure.create(engine, {
        ...{ teacher: model, student: model, generator: part, fake: part, guidance, batch, draws },
        ...{ pairsMatch: true, halfTeacher: false, teacherWeights: weights, seed: 0 },
        ...{ accumulation: 1, fakeUpdates: 1, emas: [], start: { generator: start, fake: start } },
        matching: { weight: variant.weight, realOnly: false },
        regression: paired > 0 ? { batch: paired, distance: l2Distance } : null,
        conditions: promptConditions({
          count: 1,
          unconditional: at('unconditional'),
          embeddings: async ([step]) => first!(at(`context${step}`)),
        }),
        pairs: {
          batch: async (step) => ({
            z: later!(at(`z${step}`)),
            y: at(`y${step}`),
            conditions: { context: later!(at(`context${step}`)) },
          }),
        },
        settings: () => ({ generator: update, fake: update, lambda: variant.lambda, firstLevel: 20, lastLevel: 980 }),
      });
      const trainer = new Trainer(engine, procedure);
      for (const [i, wanted] of variant.iterations.entries()) {
        const { scalars } = await trainer.advance();
        near(await trainer.tensors.x!.read(), at(`x${i + 1}`).data, `x of iteration ${i + 1}`, 1e-4);
        near(await trainer.tensors.grad!.read(), at(`grad${i + 1}`).data, `grad of iteration ${i + 1}`, 1e-3);
        for (const [name, value] of Object.entries(wanted)) {
          const error = Math.abs(scalars[name]! - value);
          assert.ok(error <= 3e-4 * Math.abs(value), `${name} of iteration ${i + 1}: ${scalars[name]}, not ${value}`);
        }
      }
      const saved = await savedBy(trainer);
      for (const net of ['generator', 'fake'] as const) {
        const flat = saved.get(net)!.get('parameters')!.data;
        for (const [name, { data }] of part.merged(weights, flat)) {
          near(data, at(`${net}:${name}`).data, `${net} ${name}`, 1e-4);
        }
      }
      await trainer.dispose();
    });
  }
}
