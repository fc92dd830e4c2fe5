import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ablationPlan, ablationSampler } from '../../backend/diffusion/ablation-sampler.ts';
import { edmSampler, edmTimeSteps } from '../../backend/diffusion/edm-sampler.ts';
import type { Denoise, SamplerHooks, SamplerStep, SigmaRange } from '../../backend/diffusion/sampler.ts';
import type { AblationSamplerOptions, EdmSamplerOptions } from '../../backend/diffusion/sampler-options.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { readCaseArrays, readCaseJson } from '../golden/read-case.ts';

interface Run {
  output: string;
  function: 'edm_sampler' | 'ablation_sampler';
  args: EdmSamplerOptions & AblationSamplerOptions;
  t_steps?: number[];
  network_calls_sigma: number[];
}
const { runs } = readCaseJson<{ runs: Run[] }>('edm-sampler');
const samplers = { edm_sampler: edmSampler, ablation_sampler: ablationSampler };

/** Data that is normal with this standard deviation has this denoiser, and the ODE is solved in closed form. */
const SPREAD = 0.5;
const gaussian: Denoise = (x, sigma) => x.map((value) => (value * SPREAD ** 2) / (SPREAD ** 2 + sigma ** 2));
const curved: Denoise = (x, sigma) => x.map((value, k) => Math.tanh(value / (1 + sigma)) + 0.01 * k);

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string) {
  assert.equal(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < actual.length; i++) {
    const gap = Math.abs(actual[i]! - expected[i]!);
    assert.ok(gap <= tolerance * Math.abs(expected[i]!), `${what}[${i}]: ${actual[i]}, expected ${expected[i]}`);
  }
}

test('recorded runs: the noise levels of every step and of every network call', async () => {
  const { latents, churn_noise } = readCaseArrays('edm-sampler');
  const size = latents!.data.length;
  const noise = (n: number, i: number) => churn_noise!.data.subarray(i * n, (i + 1) * n);
  assert.equal(runs.length, 17);
  for (const run of runs) {
    if (run.t_steps) assertClose(edmTimeSteps(run.args), run.t_steps, 1e-14, `${run.output}: t_steps`);
    const called: number[] = [];
    const denoise: Denoise = (x, sigma, info) => {
      called.push(sigma);
      return gaussian(x, sigma, info);
    };
    const images = await samplers[run.function](denoise, latents!.data, run.args, { noise });
    assert.equal(images.length, size);
    // PyTorch's vectorized float32 sine is off by up to 3.5 units in the last place, which ours need not share.
    const tolerance = run.args.discretization === 'iddpm' ? 5e-7 : 1e-13;
    assertClose(called, run.network_calls_sigma, tolerance, `${run.output}: network calls`);
  }
});

test('every discretization, schedule and scaling reaches the solution of the ODE, at the order of its solver', async () => {
  const latents = new TorchGenerator(7).randn(5);
  const range = { sigma_min: 0.002, sigma_max: 80 };
  const exact = latents.map((z) => (z * 80 * SPREAD) / Math.hypot(SPREAD, 80));
  const errorOf = async (options: AblationSamplerOptions) => {
    const images = await ablationSampler(gaussian, latents, { ...range, ...options });
    return Math.max(...images.map((value, k) => Math.abs(value / exact[k]! - 1)));
  };
  const combinations: AblationSamplerOptions[] = [
    { discretization: 'edm', schedule: 'linear', scaling: 'none' },
    { discretization: 've', schedule: 've', scaling: 'none' },
    { discretization: 'vp', schedule: 'vp', scaling: 'vp' },
    { discretization: 'edm', schedule: 'vp', scaling: 'none' },
    { discretization: 'edm', schedule: 'linear', scaling: 'vp' },
  ];
  for (const combination of combinations) {
    const name = JSON.stringify(combination);
    const euler = await Promise.all([64, 128].map((n) => errorOf({ ...combination, num_steps: n, solver: 'euler' })));
    assert.ok(euler[1]! < 0.25 && euler[0]! / euler[1]! > 1.7, `${name} euler: ${euler}`);
    for (const alpha of [1, 0.5, 0.7]) {
      const heun = await Promise.all([64, 128].map((n) => errorOf({ ...combination, num_steps: n, alpha })));
      assert.ok(heun[1]! < 0.02 && heun[0]! / heun[1]! > 3, `${name} alpha ${alpha}: ${heun}`);
    }
  }
  const iddpm = await errorOf({ discretization: 'iddpm', num_steps: 200 });
  assert.ok(iddpm < 0.01, `iddpm: ${iddpm}`);
  assertClose(await edmSampler(gaussian, latents, { num_steps: 150 }), exact, 2e-3, 'edm sampler');
});

test('at the edm settings the ablation sampler is the edm sampler, also with churn', async () => {
  const latents = new TorchGenerator(11).randn(21);
  const options = { num_steps: 9, S_churn: 5, S_min: 0.1, S_max: 40, S_noise: 1.01, rho: 6, sigma_min: 0.01 };
  for (const churn of [{}, { S_churn: 0 }]) {
    const both = [edmSampler, ablationSampler].map((sampler) => {
      const generator = new TorchGenerator(12);
      return sampler(curved, latents, { sigma_max: 70, ...options, ...churn }, { noise: (n) => generator.randn(n) });
    });
    const [edm, ablation] = await Promise.all(both);
    assertClose(ablation!, edm!, 1e-5, 'images');
  }
});

test('churn raises the level and adds exactly the missing noise; between levels the distance to the target shrinks', async () => {
  const target = 0.25;
  const latents = Float32Array.of(1, -2, 0.5);
  const options = { num_steps: 4, sigma_min: 1, sigma_max: 8, rho: 1, S_churn: 0.8, S_min: 2, S_max: 6, S_noise: 1.5 };
  const draws: number[] = [];
  const normals = (n: number, i: number) => {
    draws.push(i);
    return Float64Array.from({ length: n }, (_, k) => 1 + k - i);
  };
  const steps: SamplerStep[] = [];
  // The slope toward a constant image is constant, so that Euler and Heun are both exact.
  const images = await edmSampler((x) => x.fill(target), latents, options, {
    noise: normals,
    onStep: (step) => void steps.push(step),
  });
  assert.deepEqual(draws, [0, 1, 2, 3]);
  assertClose(
    images,
    latents.map(() => target),
    1e-12,
    'images',
  );

  let x = [...latents].map((z) => 8 * z);
  const times = [8, 17 / 3, 10 / 3, 1, 0];
  for (const [i, step] of steps.entries()) {
    const hat = times[i]! >= 2 && times[i]! <= 6 ? times[i]! * 1.2 : times[i]!;
    const added = 1.5 * Math.sqrt(hat ** 2 - times[i]! ** 2);
    x = x.map((value, k) => value + added * (1 + k - i));
    assert.equal(step.i, i);
    assertClose([step.sigma], [hat], 1e-12, 'sigma');
    assertClose(step.x, x, 1e-6, `state at step ${i}`);
    assert.deepEqual([...step.denoised], [target, target, target]);
    x = x.map((value) => target + ((value - target) * times[i + 1]!) / hat);
  }
});

test('churn under a scaling: the network sees the unscaled state at the raised level', async () => {
  const latents = new TorchGenerator(3).randn(4);
  const options: AblationSamplerOptions = {
    num_steps: 5,
    discretization: 'vp',
    schedule: 'vp',
    scaling: 'vp',
    S_churn: 1,
    S_noise: 1.1,
  };
  const steps: SamplerStep[] = [];
  const hooks: SamplerHooks = { noise: (n) => new Float32Array(n).fill(2), onStep: (step) => void steps.push(step) };
  await ablationSampler(gaussian, latents, options, hooks);
  const { schedule, times } = ablationPlan(options);
  const sigma = schedule.sigma(times[0]!);
  const added = 1.1 * Math.sqrt((1.2 * sigma) ** 2 - sigma ** 2);
  assertClose([steps[0]!.sigma], [1.2 * sigma], 1e-9, 'sigma');
  assertClose(
    steps[0]!.x,
    [...latents].map((z) => sigma * z + 2 * added),
    1e-6,
    'x',
  );
});

test('levels are cut and rounded to what the network supports', async () => {
  const range: SigmaRange = { sigmaMin: 0.5, sigmaMax: 20, roundSigma: (sigma) => Math.round(sigma * 4) / 4 };
  const times = edmTimeSteps({ num_steps: 6 }, range);
  assert.equal(times[0], 20);
  assert.equal(times[5], 0.5);
  assert.ok(times.every((t) => Number.isInteger(t * 4)));
  assert.deepEqual(ablationPlan({ num_steps: 6 }, range).times, times);
  const called: number[] = [];
  const denoise: Denoise = (x, sigma) => {
    called.push(sigma);
    return x.fill(0);
  };
  const noise = (n: number) => new Float32Array(n);
  await edmSampler(denoise, new Float32Array(2), { num_steps: 6, S_churn: 2 }, { noise }, range);
  assert.ok(called.length === 11 && called.every((sigma) => Number.isInteger(sigma * 4)), `${called}`);
});

test('one step: straight from sigma_max to the denoised image', async () => {
  const latents = Float32Array.of(0.5, -1);
  for (const sampler of [edmSampler, ablationSampler]) {
    const images = await sampler(gaussian, latents, { num_steps: 1 });
    assertClose(
      images,
      await gaussian(
        latents.map((z) => 80 * z),
        80,
        { i: 0, steps: 1, stage: 'predictor' },
      ),
      1e-3,
      'D',
    );
  }
});

test('bad options name the option', async () => {
  const bad: [unknown, RegExp][] = [
    [{ num_step: 4 }, /Unrecognized key: "num_step"/],
    [{ num_steps: 0 }, /num_steps: /],
    [{ rho: 'seven' }, /rho: /],
    [{ sigma_min: 90 }, /sigma_min 90 and sigma_max 80/],
    [{ S_churn: -1 }, /S_churn: /],
  ];
  for (const [options, message] of bad) {
    for (const sampler of [edmSampler, ablationSampler]) {
      const run = sampler(gaussian, new Float32Array(2), options as EdmSamplerOptions);
      await assert.rejects(run, { name: 'UserError', kind: 'config', message });
    }
  }
  const solver = { solver: 'rk4' } as unknown as AblationSamplerOptions;
  await assert.rejects(ablationSampler(gaussian, new Float32Array(2), solver), { kind: 'config', message: /solver: / });
  assert.equal(edmTimeSteps({ S_max: Infinity, num_steps: 3 }).length, 4);
});

test('NaN from the network, cancellation and broken callbacks end the run with the step they happened at', async () => {
  const latents = new Float32Array(3).fill(1);
  for (const sampler of [edmSampler, ablationSampler]) {
    const poisoned: Denoise = (x, _sigma, info) => {
      const out = x.fill(0);
      if (info.i === 2 && info.stage === 'corrector') out[1] = Number.NaN;
      return out;
    };
    const poison = sampler(poisoned, latents, { num_steps: 5 });
    await assert.rejects(poison, { kind: 'numeric', message: /\(step 3 of 5, corrector\)/ });

    const stop = new AbortController();
    let calls = 0;
    const counted: Denoise = async (x) => {
      calls++;
      return x;
    };
    const onStep = ({ i }: SamplerStep) => (i === 1 ? stop.abort() : undefined);
    const cancelled = sampler(counted, latents, { num_steps: 5 }, { onStep, signal: stop.signal });
    await assert.rejects(cancelled, { kind: 'cancelled', message: /step 2 of 5/ });
    assert.equal(calls, 3);

    await assert.rejects(
      sampler(() => new Float32Array(2), latents),
      /3 numbers in, 2 out/,
    );
    await assert.rejects(sampler(gaussian, latents, { S_churn: 1 }), /no source of noise/);
    const short = sampler(gaussian, latents, { S_churn: 1 }, { noise: () => new Float32Array(1) });
    await assert.rejects(short, /3 normals asked for, 1 given/);
  }
  assert.deepEqual([...latents], [1, 1, 1]);
});
