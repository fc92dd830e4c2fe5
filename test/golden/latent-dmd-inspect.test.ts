/**
 * What the score inspector shows against PyTorch and diffusers (record/latent_dmd.py): x, x_t and the gradient of the recorded
 * iterations' first, image by image, with and without guidance, in every weighting that was recorded.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type PredictionType, vpSchedule } from '../../backend/diffusion/vp/index.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { promptConditions } from '../../backend/methods/common/latent-teacher.ts';
import { ScoreInspector } from '../../backend/methods/dmd/inspect/inspector.ts';
import { ofLadder } from '../../backend/methods/dmd/inspect/levels.ts';
import type { MatchingWeight } from '../../backend/methods/dmd/matching.ts';
import { latentModel } from '../../backend/models/latent-model.ts';
import { trainedPart } from '../../backend/models/trained-part.ts';
import { createTextUNet } from '../../backend/nets/stable-diffusion/unet.ts';
import { loadWeights } from '../../backend/weights/load.ts';

interface Variant {
  readonly name: string;
  readonly prediction: PredictionType;
  readonly guidance: number;
  readonly weight: MatchingWeight;
}

const file = (name: string) => fileURLToPath(new URL(`latent-dmd/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(file('case.json'), 'utf8'));
const { tensors: io } = await loadWeights(file('io.safetensors'));
const { tensors: weights } = await loadWeights(file('weights.safetensors'));
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

const row = ({ shape, data }: TensorData, i: number): TensorData => {
  const size = sizeOf(shape.slice(1));
  return { shape: [1, ...shape.slice(1)], data: data.slice(i * size, (i + 1) * size) };
};

function near(actual: Float32Array, wanted: TensorData, what: string, tolerance: number): void {
  const largest = wanted.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted.data[i]!)), 0);
  assert.equal(actual.length, wanted.data.length, what);
  assert.ok(error <= tolerance * largest, `${what}: off by ${error}, the largest is ${largest}`);
}

for (const { name, prediction, guidance, weight } of recorded.variants as Variant[]) {
  test(`an inspection shows what PyTorch computed: ${name}`, async () => {
    const at = (of: string): TensorData => io.get(`${name}.${of}`)!;
    const network = createTextUNet(recorded.unet, { recompute: 'none' });
    const schedule = vpSchedule(recorded.scheduler);
    const model = latentModel(network, { prediction, tokens: recorded.tokens, schedule });
    const part = trainedPart(network.layout, null);
    const source = promptConditions({
      count: 1,
      unconditional: at('unconditional'),
      embeddings: async () => at('context1'),
    });
    const inspector = await ScoreInspector.create(engine, {
      shape: {
        ...{ teacher: model, student: model, generator: part, fake: part, batch: 1, regression: null, guidance },
        ...{ matching: { weight, realOnly: false }, pairsMatch: true, halfTeacher: false },
      },
      conditions: { source, ofPairs: () => source, dispose: async () => {} },
      ...{ classes: null, recorded: { seed: 0, samples: 0, probe: { seed: 0, count: 0 } } },
      ...{ prompts: () => [], openDecoder: async () => null },
    });
    const flat = () => engine.upload({ shape: [network.layout.size], data: packParameters(network.layout, weights) });
    const networks = { generator: [flat()], fake: [flat()], teacher: [flat()] };
    const timesteps = at('t1').data;
    const images = at('grad1').shape[0]!;
    for (let i = 0; i < images; i++) {
      const sample = {
        ...{ z: row(at('z1'), i), noise: row(at('noise1'), i), conditions: { context: row(at('context1'), i) } },
        ...{ class: null, prompt: 'recorded' },
      };
      const level = ofLadder(model.levels, timesteps[i]!);
      const how = { step: 0, level, strip: [level], stepSize: 0 };
      const { tensors } = await inspector.score(networks, sample, how);
      const of = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
      const [x, noise] = [row(at('x1'), i), row(at('noise1'), i)];
      near(of.get('x')!, x, 'x', 1e-4);
      near(of.get('grad')!, row(at('grad1'), i), 'grad', 1e-3);
      const { alpha, sigma } = level.numbers;
      const noised = { ...x, data: x.data.map((value, k) => alpha * value + sigma * noise.data[k]!) };
      near(of.get('xt')!, noised, 'xt', 1e-4);
      // Both networks are the teacher's own here: what they differ in is guidance, and that alone is the gradient.
      const [fake, conditional] = [of.get('muFake')!, of.get('muConditional') ?? of.get('muReal')!];
      near(fake, { ...x, data: conditional }, 'mu_fake and the unguided mu_real', 1e-4);
    }
    await inspector.dispose();
    for (const chunks of Object.values(networks)) for (const chunk of chunks) chunk.dispose();
  });
}
