/** VP schedules and samplers beyond the recorded runs: what they converge to, what they refuse, and the caller's hooks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addNoise,
  classifierFreeGuidance,
  cleanCoefficients,
  combine,
  createPairSampler,
  createVpSampler,
  guideDoubled,
  modelOfConfig,
  needsGuidance,
  noiseCoefficients,
  type Predict,
  predictionTarget,
  predictionTypes,
  type SamplerName,
  samplerNames,
  type VpStep,
  vpSchedule,
} from '../../backend/diffusion/vp/index.ts';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';

const sd15 = {
  _class_name: 'PNDMScheduler',
  _diffusers_version: '0.6.0',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
};
const zeros: Predict = (x) => new Float32Array(x.length);
const latents = new TorchGenerator(3).randn(6);

/** Independent normal numbers of this spread have this perfect network, and the ODE is solved in closed form. */
const SPREAD = 0.6;
const perfect =
  (config: object): Predict =>
  (x, t) => {
    // Between whole timesteps (Euler's) sigma/alpha is interpolated, as the sampler does it.
    const { alphasCumprod } = vpSchedule(config);
    const level = (k: number) => Math.sqrt((1 - alphasCumprod[k]!) / alphasCumprod[k]!);
    const below = Math.floor(t);
    const sigma = level(below) + (t - below) * (level(Math.min(below + 1, 999)) - level(below));
    const scale = 1 / Math.sqrt(1 + sigma ** 2);
    return x.map((value) => (value * sigma * scale) / (scale ** 2 * SPREAD ** 2 + (sigma * scale) ** 2));
  };

test('the deterministic samplers converge to the solution of the ODE, at the order of their method', async () => {
  // All end at the noise of timestep 0, and Euler's state is x_t / alpha_t.
  const karras = { ...sd15, timestep_spacing: 'linspace', final_sigmas_type: 'sigma_min', use_karras_sigmas: true };
  const errorOf = async (name: SamplerName, steps: number) => {
    const config = name === 'ddim' || name === 'pndm' ? sd15 : karras;
    const sampler = createVpSampler(config, name);
    const { alphasCumprod } = sampler.schedule;
    const deviation = (product: number) => Math.sqrt(product * SPREAD ** 2 + 1 - product);
    const [from, to] = [alphasCumprod[Math.round(sampler.timesteps({ steps })[0]!)]!, alphasCumprod[0]!];
    const growth = name === 'euler' ? Math.sqrt((1 - from) / to) : 1;
    const result = await sampler.sample(perfect(config), latents, { steps });
    const exact = latents.map((z) => (z * growth * deviation(to)) / deviation(from));
    return Math.max(...result.map((value, k) => Math.abs(value / exact[k]! - 1)));
  };
  const least: [SamplerName, atTwelve: number, gain: number][] = [
    ['ddim', 0.2, 3],
    ['euler', 0.2, 3],
    ['pndm', 0.05, 8],
    ['dpm', 0.1, 12],
    ['unipc', 0.1, 12],
  ];
  for (const [name, atTwelve, gain] of least) {
    const [coarse, fine] = [await errorOf(name, 12), await errorOf(name, 48)];
    assert.ok(coarse < atTwelve && fine < coarse / gain, `${name}: ${coarse} with 12 steps, ${fine} with 48`);
  }
});

test('SD 1.5: 1/alpha of the last timestep, and the 51 calls of PNDM with 50 steps', () => {
  const sampler = createVpSampler(sd15);
  assert.equal(sampler.name, 'pndm');
  assert.deepEqual(sampler.warnings, []);
  assert.ok(Math.abs(1 / sampler.schedule.alpha(999) - 14.6488) < 1e-3);
  const times = sampler.timesteps({ steps: 50 });
  assert.equal(times.length, 51);
  assert.deepEqual([times[0], times[1], times[2], times.at(-1)], [981, 961, 961, 1]);
});

test('every prediction type gives image and noise back, and its own training target', () => {
  const schedule = vpSchedule(sd15);
  const generator = new TorchGenerator(4);
  const [clean, noise] = [generator.randn(17), generator.randn(17)];
  for (const t of [0, 1, 400, 999]) {
    const x = addNoise(schedule, clean, noise, t);
    const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
    for (const type of predictionTypes) {
      const prediction = predictionTarget(type, schedule, clean, noise, t);
      for (const [coefficients, wanted] of [
        [cleanCoefficients(type, alpha, sigma), clean],
        [noiseCoefficients(type, alpha, sigma), noise],
      ] as const) {
        const found = combine([
          [coefficients[0], x],
          [coefficients[1], prediction],
        ]);
        for (const [k, value] of found.entries()) assert.ok(Math.abs(value - wanted[k]!) < 2e-5, `${type} at ${t}`);
      }
    }
  }
  assert.throws(() => schedule.alpha(1000), RangeError);
  assert.throws(() => schedule.sigma(0.5), RangeError);
});

test('guidance: unconditional first, and none at a scale of 1 or less', () => {
  const [without, with_] = [Float32Array.of(1, -2), Float32Array.of(2, 0)];
  assert.deepEqual([...classifierFreeGuidance(without, with_, 3)], [4, 4]);
  assert.deepEqual([...guideDoubled(Float32Array.of(1, -2, 2, 0), 3)], [4, 4]);
  assert.deepEqual([...classifierFreeGuidance(without, with_, 1)], [2, 0]);
  assert.deepEqual([...classifierFreeGuidance(without, with_, 0.5)], [2, 0]);
  assert.deepEqual([1, 1.0001, 0].map(needsGuidance), [false, true, false]);
  assert.throws(() => guideDoubled(new Float32Array(3), 2), /no doubled batch/);
});

test('steps report what was seen, leave the latents alone, and stop when asked to', async () => {
  for (const name of samplerNames) {
    const sampler = createVpSampler({ ...sd15, original_inference_steps: 50 }, name);
    const before = latents.slice();
    const [seen, taken]: [number[], VpStep[]] = [[], []];
    const stop = new AbortController();
    const hooks = {
      noise: (n: number) => new Float32Array(n),
      onStep: async (step: VpStep) => {
        taken.push(step);
        if (step.i === 2) stop.abort();
      },
      signal: stop.signal,
    };
    const predict: Predict = async (x, t) => {
      seen.push(t);
      return x.fill(0.1); // the array is the callee's own
    };
    await assert.rejects(sampler.sample(predict, latents, { steps: 6 }, hooks), {
      kind: 'cancelled',
      message: /step 4 of [67]/,
    });
    assert.deepEqual(latents, before);
    assert.deepEqual(seen, sampler.timesteps({ steps: 6 }).slice(0, 3));
    assert.deepEqual(
      taken.map(({ timestep }) => timestep),
      seen,
    );
    assert.ok(taken.every(({ denoised }) => denoised.every(Number.isFinite)));
    assert.notDeepEqual([...taken[1]!.x], [...taken[0]!.x]);
  }
});

test('NaN and Inf stop the sampling, and name the timestep', async () => {
  const sampler = createVpSampler(sd15, 'ddim');
  const broken: Predict = (x, t) => (t < 700 ? x.fill(Number.NaN) : x);
  await assert.rejects(sampler.sample(broken, latents, { steps: 10 }), { kind: 'numeric', message: /timestep 601/ });
  const large: Predict = (x) => x.fill(3e38);
  await assert.rejects(sampler.sample(large, latents, { steps: 10 }), { kind: 'numeric', message: /Sampling came to/ });
  const wrong: Predict = () => new Float32Array(2);
  await assert.rejects(sampler.sample(wrong, latents, { steps: 2 }), /6 numbers in, 2 out/);
});

test('noise is asked for by LCM and by DDIM with eta, once a step, and must be given', async () => {
  const lcm = createVpSampler(sd15, 'lcm');
  const ddim = createVpSampler(sd15, 'ddim');
  assert.deepEqual([lcm.addsNoise({ steps: 4 }), ddim.addsNoise({ steps: 4 })], [true, false]);
  assert.equal(ddim.addsNoise({ steps: 4, eta: 0.1 }), true);
  const asked: number[] = [];
  const noise = (n: number, i: number) => {
    asked.push(i);
    return new Float32Array(n);
  };
  await lcm.sample(zeros, latents, { steps: 4 }, { noise });
  assert.deepEqual(asked.splice(0), [0, 1, 2]);
  await ddim.sample(zeros, latents, { steps: 3, eta: 1 }, { noise });
  assert.deepEqual(asked, [0, 1, 2]);
  await assert.rejects(lcm.sample(zeros, latents, { steps: 4 }), /no source of noise/);
});

test('every number of steps has that many timesteps in range, for every spacing', () => {
  for (const timestep_spacing of ['leading', 'trailing', 'linspace']) {
    for (const name of ['ddim', 'dpm', 'unipc', 'euler'] as const) {
      const sampler = createVpSampler({ ...sd15, timestep_spacing }, name);
      for (const steps of [1, 2, 3, 7, 28, 61, 103, 121, 499, 997]) {
        const times = sampler.timesteps({ steps });
        assert.equal(times.length, steps, `${name}, ${timestep_spacing}`);
        assert.ok(
          times.every((t, i) => t >= 0 && t <= 999 && (i === 0 || t <= times[i - 1]!)),
          `${name} ${steps}`,
        );
      }
    }
  }
});

const refused: [what: string, name: SamplerName | undefined, config: object | null, message: RegExp][] = [
  ['no object', 'ddim', null, /holds no settings/],
  ['no class', undefined, {}, /names no scheduler/],
  ['another class', undefined, { _class_name: 'HeunDiscreteScheduler' }, /HeunDiscreteScheduler.*does not have/],
  ['a class name of Object.prototype', undefined, { _class_name: 'constructor' }, /scheduler constructor/],
  ['thresholding', 'ddim', { thresholding: true }, /thresholding: only false is supported/],
  ['a schedule', 'ddim', { beta_schedule: 'sigmoid' }, /beta_schedule/],
  ['a beta of 2', 'ddim', { beta_end: 2 }, /beta_end/],
  ['a list of betas with 1', 'ddim', { trained_betas: [0.1, 1] }, /beta is 1 at timestep 1/],
  ['too many timesteps', 'ddim', { num_train_timesteps: 1e9 }, /num_train_timesteps/],
  ['predicted images in PNDM', 'pndm', { prediction_type: 'sample' }, /prediction_type/],
  ['DPM-Solver of order 3', 'dpm', { solver_order: 3 }, /solver_order: only orders 1 and 2/],
  ['the stochastic DPM-Solver++', 'dpm', { algorithm_type: 'sde-dpmsolver++' }, /only "dpmsolver\+\+" is supported/],
  ['learned variance', 'dpm', { variance_type: 'learned' }, /variance_type: only null/],
  ['flow matching', 'unipc', { use_flow_sigmas: true }, /use_flow_sigmas/],
  ['exponential levels', 'euler', { use_exponential_sigmas: true }, /use_exponential_sigmas/],
  ['logarithmic interpolation', 'euler', { interpolation_type: 'log_linear' }, /interpolation_type/],
];
for (const [what, name, config, message] of refused) {
  test(`refused by name: ${what}`, () => {
    assert.throws(() => createVpSampler(config, name), { name: 'UserError', kind: 'config', message });
  });
}

test('options out of range, and epsilon where nothing of the image is left', async () => {
  const ddim = createVpSampler(sd15, 'ddim');
  for (const steps of [0, -1, 1.5, 1001, Number.NaN]) {
    await assert.rejects(ddim.sample(zeros, latents, { steps }), { kind: 'config', message: /number of steps/ });
  }
  await assert.rejects(ddim.sample(zeros, latents, { steps: 5, eta: 2 }), { kind: 'config', message: /eta/ });
  await assert.rejects(ddim.sample(zeros, latents, { steps: 1000 }), { kind: 'config', message: /past the last one/ });
  const lcm = createVpSampler(sd15, 'lcm');
  await assert.rejects(lcm.sample(zeros, latents, { steps: 51 }), { kind: 'config', message: /51 LCM steps of 50/ });
  const pndm = createVpSampler({ _class_name: 'PNDMScheduler' });
  await assert.rejects(pndm.sample(zeros, latents, { steps: 3 }), { kind: 'config', message: /at least 4 steps/ });
  const dark = createVpSampler({ ...sd15, rescale_betas_zero_snr: true, timestep_spacing: 'trailing' }, 'ddim');
  await assert.rejects(dark.sample(zeros, latents, { steps: 5 }), { kind: 'config', message: /holds no image/ });
});

test('what a config says of the model is read whatever its class is, and asked for where the class is not known', () => {
  const { alphasCumprod } = modelOfConfig({ ...sd15, _class_name: 'DDIMScheduler' }).schedule;
  const other = { ...sd15, _class_name: 'EulerAncestralDiscreteScheduler', use_exponential_sigmas: true };
  assert.deepEqual(modelOfConfig(other).schedule.alphasCumprod, alphasCumprod);
  assert.equal(modelOfConfig({ ...other, prediction_type: 'v_prediction' }).predictionType, 'v_prediction');
  assert.throws(() => modelOfConfig({ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3 }), {
    kind: 'config',
    message: /noise schedule of FlowMatchEulerDiscreteScheduler is not known here, .* beta_start/,
  });
  assert.throws(() => modelOfConfig({ ...other, prediction_type: 'flow_prediction' }), /not "flow_prediction"/);
});

test('an option that is not there matters to the samplers that have it', () => {
  const thresholding = { ...sd15, thresholding: true };
  for (const name of ['ddim', 'dpm', 'unipc', 'lcm'] as const) {
    assert.throws(() => createVpSampler(thresholding, name), /thresholding: only false is supported, not true/);
  }
  for (const name of ['pndm', 'euler'] as const) assert.equal(createVpSampler(thresholding, name).name, name);
  assert.throws(() => createVpSampler({ ...sd15, variance_type: 'learned' }, 'dpm'), /variance_type.*"learned"/);
  assert.equal(createVpSampler({ ...sd15, variance_type: 'fixed_small' }, 'dpm').name, 'dpm');
});

test('pairs are made without Runge-Kutta steps, on the noise schedule of the model, unless the config asks for them', () => {
  const { skip_prk_steps: _, ...plain } = sd15;
  const ddim = { ...plain, _class_name: 'DDIMScheduler' };
  assert.equal(createVpSampler(ddim, 'pndm').timesteps({ steps: 20 }).length, 29);
  assert.equal(createPairSampler(ddim).timesteps({ steps: 20 }).length, 21);
  assert.equal(createPairSampler({ ...plain, _class_name: 'PNDMScheduler' }).timesteps({ steps: 20 }).length, 29);
  const dark = { ...ddim, rescale_betas_zero_snr: true, prediction_type: 'v_prediction' };
  assert.equal(createPairSampler(dark).schedule.alpha(999), 0);
  assert.ok(createVpSampler(dark, 'pndm').schedule.alpha(999) > 0.06, "diffusers' PNDM does not know of it");
});

test("another class's keys are passed over, keys of no class reported", () => {
  const config = { ...sd15, use_karras_sigmas: true, final_sigmas_type: 'sigma_min', beta_curve: 2, _private: 1 };
  const { warnings } = createVpSampler(config);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /beta_curve/);
});
