/** Latent distribution matching in `dmd verify`: on cases of other shapes, schedules and scales, worked out here in float64. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkCase } from '../../backend/cli/verify/check-case.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'dmd-sd-guidance-'));
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

interface Setting {
  shape: number[];
  scales: number[];
  timesteps: number[];
  config: Record<string, unknown>;
  /** alpha-bar of a timestep, in float64. */
  product: (t: number) => number;
}

function cumulative(beta: (share: number) => number, count: number) {
  return (t: number) =>
    Array.from({ length: t + 1 }, (_, i) => 1 - beta(i / (count - 1))).reduce((product, value) => product * value, 1);
}

const settings: Record<string, Setting> = {
  linear: {
    shape: [3, 2, 5, 4],
    scales: [8, 1, 0.5, 1.5],
    timesteps: [20, 500, 980],
    config: { beta_schedule: 'linear', beta_start: 0.0001, beta_end: 0.02, num_train_timesteps: 1000 },
    product: cumulative((share) => 0.0001 + share * (0.02 - 0.0001), 1000),
  },
  short: {
    shape: [1, 4, 3, 3],
    scales: [3],
    timesteps: [99],
    config: { beta_schedule: 'scaled_linear', beta_start: 0.002, beta_end: 0.1, num_train_timesteps: 100 },
    product: cumulative((share) => (Math.sqrt(0.002) + share * (Math.sqrt(0.1) - Math.sqrt(0.002))) ** 2, 100),
  },
};

const { abs, sqrt } = Math;
const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Writes a case with what the formulas give; `change` may spoil it. */
async function writeCase(
  name: string,
  { shape, scales, timesteps, config, product }: Setting,
  change = (_: Written) => {},
) {
  const generator = new TorchGenerator(11);
  const size = shape.reduce((a, b) => a * b, 1);
  const perImage = size / shape[0]!;
  const inputs = Object.fromEntries(
    ['latents', 'noise', 'eps_cond', 'eps_uncond', 'eps_fake'].map((key) => [key, [...generator.randn(size)]]),
  ) as Record<'latents' | 'noise' | 'eps_cond' | 'eps_uncond' | 'eps_fake', number[]>;
  const { latents, noise, eps_cond, eps_uncond, eps_fake } = inputs;
  const products = timesteps.map(product);
  const alpha = (k: number) => sqrt(products[Math.floor(k / perImage)]!);
  const sigma = (k: number) => sqrt(1 - products[Math.floor(k / perImage)]!);
  const xt = latents.map((value, k) => alpha(k) * value + sigma(k) * noise[k]!);
  const clean = (eps: number[]) => eps.map((value, k) => (xt[k]! - sigma(k) * value) / alpha(k));

  const arrays: Record<string, { shape: number[]; data: number[] }> = {};
  const expected = (key: string, data: number[], of = shape) => {
    arrays[key] = { shape: of, data };
  };
  const scalars: Written['json']['scalars'] = {
    'loss_fake_mean.eps_fake': { value: average(eps_fake.map((value, k) => (value - noise[k]!) ** 2)) },
  };
  expected('noisy_latents', xt);
  expected('pred_fake', clean(eps_fake));
  for (const scale of scales) {
    const eps = eps_cond.map((value, k) => (scale > 1 ? eps_uncond[k]! + scale * (value - eps_uncond[k]!) : value));
    const real = clean(eps);
    const weights = timesteps.map((_, b) =>
      average(latents.slice(b * perImage, (b + 1) * perImage).map((value, k) => abs(value - real[b * perImage + k]!))),
    );
    const grad = clean(eps_fake).map((value, k) => (value - real[k]!) / weights[Math.floor(k / perImage)]!);
    expected(`eps_real.scale${scale}`, eps);
    expected(`pred_real.scale${scale}`, real);
    expected(`weight_factor.scale${scale}`, weights, [shape[0]!, 1, 1, 1]);
    expected(`grad.scale${scale}`, grad);
    expected(
      `grad_latents.scale${scale}`,
      grad.map((value) => value / size),
    );
    scalars[`loss_dm.scale${scale}`] = { value: 0.5 * average(grad.map((value) => value ** 2)) };
  }

  const written: Written = {
    json: {
      kind: 'sd-guidance-formula',
      config: { ...config, guidance_scales: scales },
      arrays: { timesteps: { role: 'input', shape: [shape[0]!] } },
      scalars,
    },
    timesteps,
  };
  for (const key of Object.keys(inputs)) written.json.arrays[key] = { role: 'input', shape };
  for (const [key, { shape: of }] of Object.entries(arrays)) written.json.arrays[key] = { role: 'expected', shape: of };
  change(written);
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'case.json'), JSON.stringify(written.json));
  const f32 = (of: number[], data: number[]) => ({ dtype: 'F32' as const, shape: of, data: Float32Array.from(data) });
  const tensors = new Map(Object.entries(inputs).map(([key, data]) => [key, f32(shape, data)]));
  for (const [key, { shape: of, data }] of Object.entries(arrays)) tensors.set(key, f32(of, data));
  tensors.set('timesteps', f32([written.timesteps.length], written.timesteps));
  await writeSafetensors(join(path, 'io.safetensors'), tensors);
  return path;
}

interface Written {
  json: {
    kind: string;
    config: Record<string, unknown>;
    arrays: Record<string, { role: string; shape: number[] }>;
    scalars: Record<string, { value: number }>;
  };
  timesteps: number[];
}

for (const [name, setting] of Object.entries(settings)) {
  test(`other shapes, schedules and scales: ${name}`, async () => {
    const report = await checkCase(await writeCase(name, setting), engine);
    assert.equal(report.error, null);
    assert.deepEqual(
      report.comparisons.filter(({ ok }) => !ok).map(({ name: key, relative, note }) => ({ key, relative, note })),
      [],
    );
    assert.equal(report.comparisons.length, 3 + 6 * setting.scales.length);
    assert.equal(report.status, 'ok');
  });
}

test('a loss that is not the one is a miss, an array that is not known too', async () => {
  const spoil = ({ json }: Written) => {
    json.scalars['loss_dm.scale3']!.value *= 1.0001;
    json.arrays.another = { role: 'expected', shape: settings.short!.shape };
    json.arrays['pred_real.scale4'] = { role: 'expected', shape: settings.short!.shape };
  };
  const path = await writeCase('spoiled', settings.short!, spoil);
  const { tensors } = await readSafetensors(join(path, 'io.safetensors'));
  for (const name of ['another', 'pred_real.scale4']) tensors.set(name, tensors.get('latents')!);
  await writeSafetensors(join(path, 'io.safetensors'), tensors);
  const report = await checkCase(path, engine);
  assert.equal(report.status, 'miss');
  const missed = report.comparisons.filter(({ ok }) => !ok).map(({ name }) => name);
  assert.deepEqual(missed.sort(), ['another', 'loss_dm.scale3', 'pred_real.scale4']);
});

const damaged: [what: string, change: (written: Written) => void, message: RegExp][] = [
  ['a timestep past the last', ({ timesteps }) => timesteps.splice(0, 1, 100), /'timesteps' holds 100/],
  ['a fraction of a timestep', ({ timesteps }) => timesteps.splice(0, 1, 1.5), /'timesteps' holds 1.5/],
  ['a schedule that is not known', ({ json }) => Object.assign(json.config, { beta_schedule: 'odd' }), /beta_schedule/],
  ['another prediction', ({ json }) => Object.assign(json.config, { prediction_type: 'sample' }), /predicted noise/],
  ['no noise', ({ json }) => delete json.arrays.noise, /'noise' is needed/],
];
for (const [i, [what, change, message]] of damaged.entries()) {
  test(`damaged: ${what}`, async () => {
    const setting = { ...settings.short!, timesteps: [...settings.short!.timesteps] };
    const report = await checkCase(await writeCase(`damaged-${i}`, setting, change), engine);
    assert.equal(report.status, 'damaged');
    assert.match(report.error!.message, message);
  });
}
