/**
 * DMD2 against PyTorch (record/dmd2.py): losses, logits, gradient norms, images and the matching gradient of every iteration, and weights
 * after the last; with the discriminator's loss in the trunk and not, with features of the teacher, R1, another divergence, active
 * clipping, and a generator of four steps that is trained on its own images.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import { laterSteps } from '../../backend/methods/common/later-steps.ts';
import type { Divergence } from '../../backend/methods/dmd2/divergence.ts';
import type { Dmd2Draws } from '../../backend/methods/dmd2/draws.ts';
import { headOf } from '../../backend/methods/dmd2/head.ts';
import { Dmd2Procedure } from '../../backend/methods/dmd2/procedure.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import type { DrawPoint } from '../../backend/training/draws.ts';
import { Trainer } from '../../backend/training/trainer.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { edmShape } from '../unit/training/edm-distillation.ts';
import { savedBy } from '../unit/training/saved.ts';
import { near } from './near.ts';

interface Variant {
  readonly name: string;
  readonly fakeUpdates: number;
  readonly clip: number;
  readonly trainsTrunk: boolean;
  readonly features: 'fake' | 'teacher';
  readonly r1: number;
  readonly r1Noise: number;
  readonly divergence: Divergence;
  readonly steps: readonly number[];
  readonly generatorWeight: number;
  readonly discriminatorWeight: number;
  readonly iterations: readonly Readonly<Record<string, number>>[];
}

const file = (name: string) => fileURLToPath(new URL(`dmd2/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(file('case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('io.safetensors'));
const { tensors: weights } = await loadWeights(file('weights.safetensors'));
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

/** The draws of a variant as they were recorded. */
function drawsOf(at: (name: string) => TensorData): Dmd2Draws {
  /** Further updates have images of their own; the first one trains on the generator's. */
  const images = ({ step, update }: DrawPoint) => (update === 0 ? `${step}` : `${step}-${update}`);
  const level = (name: string, tag: string) => ({
    indices: [...at(`${name}T${tag}`).data],
    noise: at(`${name}Noise${tag}`),
  });
  const told = ({ step, update }: DrawPoint) => `${step}-${update}`;
  return {
    latents: (point) => ({ z: at(`z${images(point)}`), rows: at(`labels${images(point)}`) }),
    matching: ({ step }) => ({ indices: [...at(`t${step}`).data], noise: at(`noise${step}`) }),
    fake: (point) => level('fake', told(point)),
    gan(of, point) {
      if (of === 'generator') return level('gan', `${point.step}`);
      return level(of === 'fake' ? 'ofFake' : 'ofReal', told(point));
    },
    beside: (point) => at(`beside${told(point)}`),
    call: (point) => at(`chosen${images(point)}`).data[0]!,
    again: (point, before) => at(`again${images(point)}.${before + 1}`),
  };
}

for (const variant of recorded.variants as Variant[]) {
  test(`three iterations as PyTorch does them: ${variant.name}`, async () => {
    const at = (name: string): TensorData => io.get(`${variant.name}.${name}`) ?? assert.fail(`no ${name}`);
    const { lr, betas, eps, weight_decay: weightDecay } = recorded.optimizer;
    const update = {
      ...{ learningRate: lr, beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay },
      ...{ clip: variant.clip, emaDecays: [] },
    };
    const network = createNetwork(recorded.network);
    const { generatorSigma, sigmaData, levels, batch } = recorded;
    const begun = edmShape({
      ...{ network, batch, regression: null, generatorSigma, sigmaData },
      ...{ sigmas: karrasSigmas(levels.count, levels), matching: { weight: 'eq8', realOnly: false } },
    });
    const few = variant.steps.length > 0 ? { calledAgain: laterSteps(variant.steps, begun.student) } : {};
    const shape = { ...begun, student: { ...begun.student, ...few } };
    const head = headOf(shape.student)!;
    const flat = packParameters(network.layout, weights);
    const headWeights = new Map([...weights].map(([name, value]) => [name.replace(/^head\./, ''), value]));
    const { r1, r1Noise, features, trainsTrunk, divergence, generatorWeight, discriminatorWeight } = variant;
    const range = { first: 20, last: 980 };
    const procedure = await Dmd2Procedure.create(engine, {
      ...{
        ...shape,
        divergence,
        gan: { head, features, trainsTrunk, r1: r1 > 0 ? { gamma: r1, noise: r1Noise } : null },
      },
      ...{ seed: 0, accumulation: 1, emas: [], fakeUpdates: variant.fakeUpdates, draws: drawsOf(at) },
      ...{ teacherWeights: weights, conditions: classConditions(network.labelDim), from: 'simulation' },
      start: { generator: flat, fake: flat, discriminator: packParameters(head.layout, headWeights) },
      real: {
        batch: async ({ step, update: u }) => ({
          x: at(`real${step}-${u}`),
          conditions: { labels: at(`realLabels${step}-${u}`) },
        }),
      },
      settings: () => ({
        ...{ generator: update, fake: update, discriminator: update, generatorWeight, discriminatorWeight },
        ...{ matching: range, gan: { first: 0, last: 999 } },
      }),
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
    const parts = { generator: network.layout, fake: network.layout, discriminator: head.layout };
    for (const [net, { entries }] of Object.entries(parts)) {
      const parameters = saved.get(net)!.get('parameters')!.data;
      for (const { name, offset } of entries) {
        const wanted = io.get(`${variant.name}.${net}:${name}`);
        if (wanted) near(parameters.subarray(offset, offset + wanted.data.length), wanted.data, `${net} ${name}`, 1e-4);
      }
    }
    await trainer.dispose();
  });
}
