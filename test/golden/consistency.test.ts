/**
 * Consistency distillation against PyTorch (record/consistency.py): losses, gradient norms, what teacher, generator and target make in every
 * iteration, weights, target and average after the last, and samples in one call and in two; by Heun's step and Euler's, with a target and
 * without, with clipping, and with other levels.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { l2Distance } from '../../backend/methods/common/distance.ts';
import { edmStudent } from '../../backend/methods/common/edm-student.ts';
import { ConsistencyProcedure } from '../../backend/methods/consistency/procedure.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { edmBoundary } from '../../backend/models/consistency.ts';
import { openModel } from '../../backend/models/model-file.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { DenoiseProgram } from '../../backend/sampling/denoise-program.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { edmShape } from '../unit/training/edm-distillation.ts';
import { savedBy } from '../unit/training/saved.ts';
import { requireIterations } from './consistency-iterations.ts';
import { near } from './near.ts';

interface Variant {
  readonly name: string;
  readonly count: number;
  readonly solver: 'heun' | 'euler';
  readonly decay: number;
  readonly clip: number;
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  readonly ema: number;
  readonly middle: number;
  readonly iterations: readonly Readonly<Record<string, number>>[];
}

const file = (name: string) => fileURLToPath(new URL(`consistency/${name}`, import.meta.url));
const recorded = JSON.parse(fs.readFileSync(file('case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('io.safetensors'));
const { tensors: weights } = await loadWeights(file('weights.safetensors'));
const engine = await openDevice('cpu', 1);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-consistency-'));
after(async () => {
  await engine.dispose();
  fs.rmSync(scratch, { recursive: true });
});

for (const variant of recorded.variants as Variant[]) {
  test(`three iterations as PyTorch does them, and samples of what they made: ${variant.name}`, async () => {
    const at = (name: string): TensorData => io.get(`${variant.name}.${name}`) ?? assert.fail(`no ${name}`);
    const { lr, betas, eps, weight_decay: weightDecay } = recorded.optimizer;
    const { sigmaMin, sigmaMax, count, solver, decay, ema } = variant;
    const { sigmaData, batch } = recorded;
    const network = createNetwork(recorded.network);
    const begun = edmShape({
      ...{ network, batch, matching: null, regression: null, generatorSigma: sigmaMax, sigmaData },
      sigmas: karrasSigmas(count, { sigmaMin, sigmaMax, rho: 7 }),
    });
    const procedure = await ConsistencyProcedure.create(engine, {
      ...begun,
      student: { ...begun.student, boundary: edmBoundary(sigmaMin, sigmaData) },
      ...{ solver, distance: l2Distance, target: decay > 0 },
      steps: Array.from({ length: count - 1 }, (_, i) => ({ from: i + 1, to: i })),
      ...{ seed: 0, accumulation: 1, emas: [ema], teacherWeights: weights },
      conditions: classConditions(network.labelDim),
      start: { generator: packParameters(network.layout, weights) },
      draws: {
        step: ({ step }) => ({ indices: [...at(`n${step}`).data], noise: at(`noise${step}`) }),
        guidance: () => assert.fail('nothing is guided'),
      },
      real: {
        batch: async ({ step }) => ({ x: at(`real${step}`), conditions: { labels: at(`labels${step}`) } }),
      },
      settings: () => ({
        generator: {
          ...{ learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay },
          ...{ clip: variant.clip, emaDecays: [ema] },
        },
        ...{ targetDecay: decay, guidance: [1, 1] },
      }),
    });
    const trainer = new Trainer(engine, procedure);
    await requireIterations(trainer, variant.iterations, at);
    const saved = (await savedBy(trainer)).get('generator')!;
    assert.equal(saved.has('target'), decay > 0, 'without a decay the generator is its own target');
    for (const buffer of ['parameters', 'ema', 'target']) {
      for (const { name, offset } of network.layout.entries) {
        const wanted = io.get(`${variant.name}.${buffer}:${name}`);
        const found = saved.get(buffer)?.data.subarray(offset, offset + (wanted?.data.length ?? 0));
        if (wanted) near(found!, wanted.data, `${buffer} ${name}`, 1e-4);
      }
    }

    const trained = begun.generator.merged(weights, saved.get('parameters')!.data);
    const calls = { again: [variant.middle], boundary: sigmaMin };
    const written = edmStudent(network.config, '', sigmaMax);
    const model = await openModel(await written(scratch, variant.name, trained, 3, false, calls));
    assert.deepEqual([model.generatorSigma, model.again, model.boundary], [sigmaMax, [variant.middle], sigmaMin]);
    const program = await DenoiseProgram.create(engine, { ...model, batch });
    const once = await program.denoise(
      at('z').data.map((z) => sigmaMax * z),
      sigmaMax,
      at('labels'),
    );
    near(once, at('once').data, 'one call', 1e-4);
    const given = once.map((x, i) => x + variant.middle * at('again').data[i]!);
    near(await program.denoise(given, variant.middle, at('labels')), at('twice').data, 'two calls', 1e-4);
    near(await program.denoise(given, sigmaMin, at('labels')), given, 'the lowest level', 1e-6);
    await program.dispose();
    await trainer.dispose();
  });
}
