/**
 * Progressive distillation against PyTorch (record/progressive.py) across a halving: targets, losses and gradient norms of every iteration,
 * and the student's weights after the last.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { progressiveConfig } from '../../backend/methods/progressive/as-dmd.ts';
import { ProgressiveProcedure } from '../../backend/methods/progressive/procedure.ts';
import { progressiveSettings } from '../../backend/methods/progressive/settings.ts';
import { stagesOf } from '../../backend/methods/progressive/stages.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { edmShape } from '../unit/training/edm-distillation.ts';
import { savedBy } from '../unit/training/saved.ts';
import { near } from './near.ts';

interface Variant {
  readonly name: string;
  readonly steps: readonly number[];
  /** Iterations of each stage. */
  readonly lengths: readonly number[];
  readonly levels: { readonly sigmaMin: number; readonly sigmaMax: number; readonly rho: number };
  readonly weight: 'truncated-snr' | 'snr+1';
  readonly weightDecay: number;
  readonly clip: number;
  readonly linear: boolean;
  readonly iterations: readonly {
    readonly lossStudent: number;
    readonly normGenerator: number;
    readonly steps: number;
  }[];
}

const file = (name: string) => fileURLToPath(new URL(`progressive/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(file('case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('io.safetensors'));
const { tensors: weights } = await loadWeights(file('weights.safetensors'));
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

for (const variant of recorded.variants as Variant[]) {
  test(`iterations across a halving as PyTorch does them: ${variant.name}`, async () => {
    const at = (name: string): TensorData => io.get(`${variant.name}.${name}`) ?? assert.fail(`no ${name}`);
    const { steps, lengths, levels, weight, weightDecay, clip, linear } = variant;
    const { lr, betas, eps } = recorded.optimizer;
    const optimizer = {
      lr,
      beta1: betas[0],
      beta2: betas[1],
      eps,
      weightDecay,
      clip,
      decay: linear ? 'linear' : 'none',
    };
    const given = {
      ...{ kind: 'distill', method: 'progressive', iterations: variant.iterations.length, levels },
      ...{ stages: { steps, iterations: lengths.slice(0, -1) }, generator: optimizer },
    };
    const config = progressiveConfig(parseConfig(JSON.stringify(given), 'recorded') as DistillConfig);
    const stages = stagesOf(config);
    const network = createNetwork(recorded.network);
    const { batch, sigmaData } = recorded;
    const begun = edmShape({
      ...{ network, batch, sigmaData, generatorSigma: levels.sigmaMax },
      ...{ matching: null, regression: null },
    });
    const procedure = await ProgressiveProcedure.create(engine, {
      ...{ ...begun, weight, stages, seed: 0, accumulation: 1, emas: [], teacherWeights: weights },
      ...{ conditions: classConditions(network.labelDim), start: packParameters(network.layout, weights) },
      real: {
        batch: async ({ step }) => ({ x: at(`x${step}`), conditions: { labels: at(`labels${step}`) } }),
      },
      draws: {
        which: ({ step }) => [...at(`which${step}`).data],
        noise: ({ step }) => at(`noise${step}`),
      },
      settings: progressiveSettings(config, stages),
    });
    const trainer = new Trainer(engine, procedure);
    for (const [i, wanted] of variant.iterations.entries()) {
      const { scalars } = await trainer.advance();
      near(await trainer.tensors.xTarget!.read(), at(`target${i + 1}`).data, `target of iteration ${i + 1}`, 1e-4);
      near(await trainer.tensors.x!.read(), at(`denoised${i + 1}`).data, `image of iteration ${i + 1}`, 1e-4);
      for (const name of ['lossStudent', 'normGenerator'] as const) {
        const error = Math.abs(scalars[name]! - wanted[name]);
        assert.ok(error <= 3e-4 * wanted[name], `${name} of iteration ${i + 1}: ${scalars[name]}, not ${wanted[name]}`);
      }
      assert.equal(scalars['stage/steps'], wanted.steps);
    }
    const parameters = (await savedBy(trainer)).get('generator')!.get('parameters')!.data;
    for (const { name, offset } of network.layout.entries) {
      const wanted = at(`generator:${name}`).data;
      near(parameters.subarray(offset, offset + wanted.length), wanted, name, 1e-4);
    }
    await trainer.dispose();
  });
}
