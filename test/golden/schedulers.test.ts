/** The samplers of VP models against diffusers: timesteps, noise schedules, and the state after every step. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createVpSampler, type Predict, samplerNames, type VpStep } from '../../backend/diffusion/vp/index.ts';
import { samplerClasses } from '../../backend/diffusion/vp/scheduler-config.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';

interface Run {
  config: { _class_name: string } & Record<string, unknown>;
  steps: number;
  options: { eta?: number };
  timesteps: number[];
  initNoiseSigma: number;
  alphasCumprod: { sum: number; values: [number, number][] };
  states: number[][];
  denoised: (number[] | null)[];
}
const file = new URL('schedulers/diffusers.json', import.meta.url);
interface Recorded {
  runs: Run[];
  size: number;
  seed: number;
  /** By class name, what diffusers writes where nothing is set. */
  saved: Record<string, Record<string, unknown>>;
  /** By another class than the folder's own. */
  exchanged: { config: Run['config']; class: string; steps: number; calls: number; final: number[] }[];
}
const { runs, size, seed, saved, exchanged } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;

/**
 * A share of the largest number of a state. Where Euler starts at zero terminal SNR its state is 4096 times the noise, and diffusers'
 * own step, a small difference of such numbers in float32, keeps no more digits.
 */
const toleranceOf = ({ _class_name, rescale_betas_zero_snr }: Run['config']) =>
  _class_name === 'EulerDiscreteScheduler' && rescale_betas_zero_snr ? 4e-5 : 1e-5;

const { fround } = Math;
/** The network of the recording script, with its roundings. */
const network: Predict = (x, t) => {
  const time = fround(fround(t) / 1000);
  return x.map((value, k) => {
    const place = fround(((k % 5) - 2) * fround(0.05));
    const bent = fround(fround(value / fround(1 + Math.abs(value))) * fround(0.7));
    return fround(bent + fround(fround(value * time) * fround(0.3))) + place;
  });
};

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string) {
  assert.equal(actual.length, expected.length, `${what}: length`);
  const largest = Math.max(...Array.from(expected, Math.abs));
  const worst = Math.max(...Array.from(expected, (value, k) => Math.abs(actual[k]! - value)));
  assert.ok(worst <= tolerance * largest, `${what}: off by ${worst / largest} of the largest, allowed ${tolerance}`);
}

for (const { config, steps, options, ...expected } of runs) {
  const { _class_name: name, ...settings } = config;
  test(`${name}, ${steps} steps, ${JSON.stringify({ ...settings, ...options })}`, async () => {
    const sampler = createVpSampler(config);
    const { alphasCumprod } = sampler.schedule;
    for (const [t, value] of expected.alphasCumprod.values) {
      assertNear([alphasCumprod[t]!], [value], 2e-6, `alphas_cumprod[${t}]`);
    }
    const sum = alphasCumprod.reduce((total, value) => total + value, 0);
    assertNear([sum], [expected.alphasCumprod.sum], 1e-6, 'sum of alphas_cumprod');
    assert.deepEqual(sampler.timesteps({ steps }).length, expected.timesteps.length);
    assertNear(sampler.timesteps({ steps }), expected.timesteps, 1e-6, 'timesteps');

    const generator = new TorchGenerator(seed);
    const latents = generator.randn(size);
    const taken: VpStep[] = [];
    const noise = (n: number) => generator.randn(n);
    const final = await sampler.sample(
      network,
      latents,
      { steps, ...options },
      { noise, onStep: (s) => void taken.push(s) },
    );
    assert.equal(taken.length, expected.states.length);
    assertNear(
      taken[0]!.x,
      latents.map((z) => z * expected.initNoiseSigma),
      1e-6,
      'the first state',
    );
    for (const [i, step] of taken.entries()) {
      const after = taken[i + 1]?.x ?? final;
      assertNear(after, expected.states[i]!, toleranceOf(config), `the state after step ${i}`);
      const clean = expected.denoised[i];
      if (clean) assertNear(step.denoised, clean, toleranceOf(config), `the images of step ${i}`);
      assert.deepEqual([step.i, step.steps], [i, expected.timesteps.length]);
    }
  });
}

test('every sampler has recorded runs', () => {
  const seen = new Set(runs.map(({ config }) => createVpSampler(config).name));
  assert.deepEqual([...seen].sort(), [...samplerNames].sort());
  assert.equal(runs.length, 53);
});

test('every key that diffusers writes is known', () => {
  assert.equal(Object.keys(saved).length, samplerNames.length);
  for (const [name, config] of Object.entries(saved)) {
    assert.equal(config._class_name, name);
    const sampler = createVpSampler(config);
    assert.deepEqual(sampler.warnings, [], name);
    for (const other of samplerNames.filter((one) => one !== sampler.name)) {
      assert.deepEqual(createVpSampler(config, other).warnings, [], `${other} of ${name}`);
    }
  }
});

for (const { config, class: name, steps, calls, final } of exchanged) {
  test(`${name} made from the config of ${config._class_name}`, async () => {
    const sampler = createVpSampler(config, samplerClasses[name]);
    assert.equal(sampler.timesteps({ steps }).length, calls);
    const generator = new TorchGenerator(seed);
    const noise = (n: number) => generator.randn(n);
    const state = await sampler.sample(network, generator.randn(size), { steps }, { noise });
    const tolerance = toleranceOf({ ...config, _class_name: name });
    assertNear(state, final, tolerance, 'the final state');
  });
}

test('every class was made from the configs of others, some of them of classes that are not here', () => {
  const made = new Set(exchanged.map((one) => one.class));
  assert.equal(made.size, samplerNames.length);
  const foreign = new Set(exchanged.map(({ config }) => config._class_name).filter((name) => !samplerClasses[name]));
  assert.deepEqual([...foreign].sort(), [
    'DDPMScheduler',
    'DEISMultistepScheduler',
    'EulerAncestralDiscreteScheduler',
    'HeunDiscreteScheduler',
  ]);
});
