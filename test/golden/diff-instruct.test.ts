/**
 * Diff-Instruct against PyTorch (record/diff_instruct.py): losses, gradient norms, images and the gradient of every iteration, levels of
 * log-normal noise, and weights after the last.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import { openDevice } from '../../backend/engine/open.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { logNormalLevels } from '../../backend/methods/diff-instruct/draws.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import type { DrawPoint, Draws, LevelRange } from '../../backend/training/draws.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { edmDistillation, edmShape } from '../unit/training/edm-distillation.ts';
import { savedBy } from '../unit/training/saved.ts';
import { near } from './near.ts';

interface Variant {
  readonly name: string;
  readonly fakeUpdates: number;
  readonly generatorSigma: number;
  readonly logMean: number;
  readonly logStd: number;
  readonly clip: number | null;
  readonly iterations: readonly Readonly<Record<string, number>>[];
}

const file = (name: string) => fileURLToPath(new URL(`diff-instruct/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(file('case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('io.safetensors'));
const { tensors: weights } = await loadWeights(file('weights.safetensors'));
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

for (const variant of recorded.variants as Variant[]) {
  test(`three iterations as PyTorch does them: ${variant.name}`, async () => {
    const at = (name: string): TensorData => io.get(`${variant.name}.${name}`) ?? assert.fail(`no ${name}`);
    const { generatorSigma, logMean: mean, logStd: std, fakeUpdates, clip } = variant;
    const { lr, betas, eps, weight_decay: weightDecay } = recorded.optimizer;
    const update = {
      ...{ learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay },
      ...{ clip: clip ?? Number.POSITIVE_INFINITY, emaDecays: [] },
    };
    const { levels, sigmaData, batch } = recorded;
    const options = {
      ...{ network: createNetwork(recorded.network), batch, regression: null, generatorSigma, sigmaData },
      ...{
        sigmas: karrasSigmas(levels.count, levels),
        matching: { weight: 'sigma^2/alpha', realOnly: false } as const,
      },
    };
    const indices = logNormalLevels(edmShape(options).student.levels, { mean, std });
    const drawn = (name: string, tag: string, range: LevelRange) => {
      const found = indices(at(`${name}${tag}Normal`).data, range);
      assert.deepEqual(found, [...at(`${name}${tag}Level`).data], `levels of ${name} ${tag}`);
      return { indices: found, noise: at(`${name}Noise${tag}`) };
    };
    const images = ({ step, update: u }: DrawPoint) => (u === 0 ? `${step}` : `${step}-${u}`);
    const draws: Draws = {
      latents: (point) => ({ z: at(`z${images(point)}`), rows: at(`labels${images(point)}`) }),
      matching: ({ step }, _, range) => drawn('matching', `${step}`, range),
      fake: ({ step, update: u }, _, range) => drawn('fake', `${step}-${u}`, range),
    };
    const { trainer } = await edmDistillation(engine, {
      ...{
        ...options,
        seed: 0,
        accumulation: 1,
        emas: [],
        fakeUpdates,
        pairs: null,
        draws,
        teacherParameters: weights,
      },
      start: { generator: weights, fake: weights },
      settings: () => ({ generator: update, fake: update, lambda: 0, firstLevel: 0, lastLevel: levels.count - 1 }),
    });
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
    for (const net of ['generator', 'fake']) {
      const parameters = saved.get(net)!.get('parameters')!.data;
      for (const { name, offset } of options.network.layout.entries) {
        const wanted = at(`${net}:${name}`).data;
        near(parameters.subarray(offset, offset + wanted.length), wanted, `${net} ${name}`, 1e-4);
      }
    }
    await trainer.dispose();
  });
}
