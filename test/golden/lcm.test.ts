/**
 * Latent consistency distillation against PyTorch and diffusers (record/lcm.py): losses, gradient norms, what teacher, generator and target make
 * in every iteration, weights and target after the last, and one call of what was trained; guided by a drawn scale and not, predicting
 * noise and v, with either distance, with a target and without.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type PredictionType, vpSchedule } from '../../backend/diffusion/vp/index.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { packParameters, parameterInputs } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { promptConditions } from '../../backend/methods/common/latent-teacher.ts';
import { ConsistencyProcedure } from '../../backend/methods/consistency/procedure.ts';
import { huberDistance, pathOf } from '../../backend/methods/lcm/method.ts';
import { timestepBoundary } from '../../backend/models/consistency.ts';
import { conditionInputs, type DiffusionModel, generate } from '../../backend/models/diffusion-model.ts';
import { latentModel } from '../../backend/models/latent-model.ts';
import { trainedPart } from '../../backend/models/trained-part.ts';
import { createTextUNet } from '../../backend/nets/stable-diffusion/unet.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { savedBy } from '../unit/training/saved.ts';
import { requireIterations } from './consistency-iterations.ts';
import { near } from './near.ts';

interface Variant {
  readonly name: string;
  readonly prediction: PredictionType;
  readonly omega: readonly [number, number] | null;
  readonly distance: 'huber' | 'l2';
  readonly huberC: number;
  readonly decay: number;
  readonly skip: number;
  readonly scaling: number;
  readonly clip: number;
  readonly iterations: readonly Readonly<Record<string, number>>[];
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const recorded = JSON.parse(readFileSync(file('lcm/case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('lcm/io.safetensors'));
// The network of the other recorded distillation of latents.
const model = JSON.parse(readFileSync(file('latent-dmd/case.json'), 'utf8'));
const { tensors: weights } = await loadWeights(file('latent-dmd/weights.safetensors'));
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

for (const variant of recorded.variants as Variant[]) {
  test(`three iterations as PyTorch does them: ${variant.name}`, async () => {
    const at = (name: string): TensorData => io.get(`${variant.name}.${name}`) ?? assert.fail(`no ${name}`);
    const { prediction, omega, decay } = variant;
    const network = createTextUNet(model.unet);
    const teacher = latentModel(network, {
      ...{ prediction, tokens: model.tokens, schedule: vpSchedule(model.scheduler) },
    });
    const student: DiffusionModel = { ...teacher, boundary: timestepBoundary(variant.scaling) };
    const part = trainedPart(network.layout, null);
    const { lr, betas, eps, weight_decay: weightDecay } = model.optimizer;
    const procedure = await ConsistencyProcedure.create(engine, {
      ...{ teacher, student, generator: part, fake: part, batch: recorded.batch, matching: null, regression: null },
      ...{ pairsMatch: true, halfTeacher: false, teacherWeights: weights, seed: 0, accumulation: 1, emas: [] },
      // The paper's omega is the scale less 1.
      ...{ guidance: omega ? omega[1] + 1 : 1, solver: 'euler', target: decay > 0 },
      distance: variant.distance === 'l2' ? l2Distance : huberDistance(variant.huberC),
      steps: pathOf(1000, variant.skip),
      start: { generator: packParameters(network.layout, weights) },
      conditions: promptConditions({
        count: 1,
        unconditional: at('unconditional'),
        embeddings: async () => assert.fail('prompts come with the latents'),
      }),
      draws: {
        step: ({ step }) => ({ indices: [...at(`index${step}`).data], noise: at(`noise${step}`) }),
        guidance: ({ step }) => at(`omega${step}`).data.map((value) => value + 1),
      },
      real: {
        batch: async ({ step }) => ({ x: at(`real${step}`), conditions: { context: at(`context${step}`) } }),
      },
      settings: () => ({
        generator: {
          ...{ learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay },
          ...{ clip: variant.clip, emaDecays: [] },
        },
        ...{ targetDecay: decay, guidance: [1, 1] },
      }),
    });
    const trainer = new Trainer(engine, procedure);
    await requireIterations(trainer, variant.iterations, at);
    const saved = (await savedBy(trainer)).get('generator')!;
    for (const buffer of decay > 0 ? ['parameters', 'target'] : ['parameters']) {
      for (const [name, { data }] of part.merged(weights, saved.get(buffer)!.data)) {
        near(data, at(`${buffer}:${name}`).data, `${buffer} ${name}`, 1e-4);
      }
    }

    // With the boundary condition, and without: as a folder of the model is called by any program.
    for (const of of [student, teacher]) {
      const graph = new Graph();
      const z = graph.input('z', at('z').shape);
      const conditions = conditionInputs(graph, of, recorded.batch);
      graph.output('x', generate(of, parameterInputs(graph, 'generator', of.layout), z, conditions));
      const program = await engine.compile(graph, { name: 'once' });
      const generator = { shape: [network.layout.size], data: saved.get('parameters')!.data };
      const { x } = await program.run({ z: at('z'), context: at('context'), generator });
      near(await x!.read(), at('once').data, 'one call', 1e-4);
      await program.dispose();
    }
    await trainer.dispose();
  });
}
