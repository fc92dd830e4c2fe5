/**
 * What the score inspector shows against the score data of the authors' code (cases/dmd2-edm-guidance): the answer of the inspector
 * itself, and the fields that the page makes heatmaps of, image by image. The generator is called at next to no noise, where
 * D(sigma z; sigma) is sigma z, so that x is the recorded image.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { packParameters } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { ScoreInspector } from '../../backend/methods/dmd/inspect/inspector.ts';
import { chooseLevel } from '../../backend/methods/dmd/inspect/levels.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import type { Inspection } from '../../backend/protocol/inspection.ts';
import { edmShape } from '../unit/training/edm-distillation.ts';
import { readCaseArrays, readCaseJson } from './read-case.ts';

interface Recorded {
  readonly config: {
    readonly net: Parameters<typeof createNetwork>[0];
    readonly num_train_timesteps: number;
    readonly sigma_min: number;
    readonly sigma_max: number;
    readonly rho: number;
    readonly sigma_data: number;
  };
}

/** The page's own, which knows no page; its types are a browser's. */
interface Sets {
  setsOf(
    texts: object,
    inspection: Inspection,
    title: string,
    stepSize: number,
  ): { fields: { id: string; picture: { data: Float32Array } }[]; facts: { id: string; value: number }[] }[];
}
const { setsOf }: Sets = await import(new URL('../../webview/inspector/sets.ts', import.meta.url).href);

/** Every text is its own name. */
const texts = new Proxy({}, { get: (_, name) => String(name) });
const name = 'dmd2-edm-guidance';
const { config } = readCaseJson<Recorded>(name);
const io = readCaseArrays(name);
const weights = readCaseArrays(name, 'weights');
const engine = await openDevice('cpu', 1);
after(() => engine.dispose());

const tiny = 1e-9;
const row = ({ shape, data }: TensorData, i: number): TensorData => {
  const size = sizeOf(shape.slice(1));
  return { shape: [1, ...shape.slice(1)], data: data.slice(i * size, (i + 1) * size) };
};

function near(actual: Float32Array, wanted: ArrayLike<number>, what: string, tolerance: number): void {
  assert.equal(actual.length, wanted.length, what);
  const largest = Math.max(...Array.from(wanted, Math.abs));
  const error = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  assert.ok(error <= tolerance * largest, `${what}: off by ${error}, the largest is ${largest}`);
}

test("the inspector's answer, and what stands behind its heatmaps, are the authors' scores and gradient", async () => {
  const network = createNetwork(config.net);
  const { sigma_min: sigmaMin, sigma_max: sigmaMax, rho, num_train_timesteps: count } = config;
  const shape = edmShape({
    ...{ network, sigmas: karrasSigmas(count, { sigmaMin, sigmaMax, rho }), sigmaData: config.sigma_data },
    ...{ generatorSigma: tiny, batch: 1, regression: null, matching: { weight: 'eq8', realOnly: false } },
  });
  const source = classConditions(network.labelDim);
  const inspector = await ScoreInspector.create(engine, {
    shape,
    conditions: { source, ofPairs: () => source, dispose: async () => {} },
    ...{ classes: network.labelDim, recorded: { seed: 0, samples: 0, probe: { seed: 0, count: 0 } } },
    ...{ prompts: () => [], openDecoder: async () => null },
  });
  const flat = (prefix: string) => {
    const own = new Map(
      Object.entries(weights).flatMap(([key, value]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
      ),
    );
    return [engine.upload({ shape: [network.layout.size], data: packParameters(network.layout, own) })];
  };
  const networks = { generator: flat('fake_unet.'), fake: flat('fake_unet.'), teacher: flat('real_unet.') };
  const images = io.latents!.shape[0]!;
  for (let i = 0; i < images; i++) {
    const of = (recorded: string) => row(io[recorded]!, i);
    const x = of('latents');
    const level = chooseLevel(shape.teacher.levels, { by: 'index', value: io.dm_timesteps!.data[i]! });
    near(Float32Array.of(level.numbers.sigma), of('dm_sigma').data, 'sigma', 2e-5);
    const sample = {
      ...{ z: { ...x, data: x.data.map((value) => value / tiny) }, noise: of('dm_noise') },
      ...{ conditions: { labels: of('labels') }, class: null, prompt: null },
    };
    const found = await inspector.score(networks, sample, { step: 0, level, strip: [level], stepSize: 0.5 });
    const [set] = setsOf(texts, found, '', 0.5);
    const shown = (id: string) => set!.fields.find((field) => field.id === id)!.picture.data;
    near(shown('x'), x.data, 'x', 1e-6);
    near(shown('xt'), of('noisy_latents').data, 'x_t', 2e-5);
    near(shown('muReal'), of('pred_real').data, 'mu_real', 2e-5);
    near(shown('muFake'), of('pred_fake').data, 'mu_fake', 4e-5);
    near(shown('grad'), of('grad').data, 'grad', 6e-5);
    const [real, fake] = [of('pred_real').data, of('pred_fake').data];
    const distance = of('weight_factor').data[0]!;
    // A difference of two predictions that are near each other has their errors.
    const difference = real.map((value, k) => value - fake[k]!);
    near(shown('difference'), difference, 'mu_real - mu_fake', 1e-4);
    const { sigma } = level.numbers;
    const score = of('noisy_latents').data.map((value, k) => -(value - real[k]!) / (sigma * sigma));
    near(shown('scoreReal'), score, 's_real', 1e-4);
    near(
      shown('stepped'),
      x.data.map((value, k) => value - 0.5 * of('grad').data[k]!),
      'a step along -grad',
      6e-5,
    );
    const fact = (id: string) => set!.facts.find((one) => one.id === id)!.value;
    assert.ok(Math.abs(fact('weight') * distance - 1) < 2e-5, `weight ${fact('weight')} of ${distance}`);
    const strip = new Map(found.strip.map((tensor) => [tensor.name, tensor.data]));
    near(strip.get('grad')!, of('grad').data, 'grad of the strip', 6e-5);
  }
  await inspector.dispose();
  for (const chunks of Object.values(networks)) for (const chunk of chunks) chunk.dispose();
});
