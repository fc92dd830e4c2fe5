/**
 * Diff-Instruct by itself: its noise levels, that it is DMD's machinery with them, and runs that are stopped and resumed, of images,
 * of the plane and of text, with what is wrong in its config said at the key.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { karrasSigmas } from '../../backend/diffusion/karras.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { asDmd, diffInstructConfig } from '../../backend/methods/diff-instruct/as-dmd.ts';
import { diffInstructDraws, logNormalLevels } from '../../backend/methods/diff-instruct/draws.ts';
import { methodOf } from '../../backend/methods/index.ts';
import { classConditions } from '../../backend/models/conditions.ts';
import type { NoiseLevels } from '../../backend/models/diffusion-model.ts';
import { openModel } from '../../backend/models/model-file.ts';
import { configProblems, type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { presetConfig } from '../../backend/runs/presets.ts';
import { writeSavedModel } from '../../backend/runs/saved-model.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { streamDraws } from '../../backend/training/draws.ts';
import { testSeed } from '../random.ts';
import { stagesOf } from './training/stages.ts';
import { curves, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

const engine = await openDevice('cpu', 1);
const root = scratch();
after(async () => {
  await engine.dispose();
  fs.rmSync(root, { recursive: true });
});

const sigmas = karrasSigmas(1000, { sigmaMin: 0.002, sigmaMax: 80, rho: 7 });
const edm: NoiseLevels = {
  count: sigmas.length,
  numbers: { sigma: (i) => sigmas[i]! },
  roles: { t: 'sigma', alpha: null, sigma: 'sigma' },
};
const all = { first: 0, last: 999 };

test('log-normal levels are those nearest in the logarithm, and none lies outside the range', () => {
  const of = logNormalLevels(edm, { mean: -1.2, std: 1.2 });
  const normal = stream(testSeed, 'diff-instruct').randn(300);
  const wanted = Array.from(normal, (n) => {
    const log = -1.2 + 1.2 * n;
    return sigmas.reduce(
      (best, s, i) => (Math.abs(Math.log(s) - log) < Math.abs(Math.log(sigmas[best]!) - log) ? i : best),
      0,
    );
  });
  assert.deepEqual(of(normal, all), wanted);
  assert.deepEqual(of([-99, 99], all), [0, 999]);
  assert.deepEqual(of([-99, 99], { first: 20, last: 980 }), [20, 980]);
  // A schedule with alpha: the same noise per signal.
  const vp: NoiseLevels = {
    count: 5,
    numbers: { timestep: (t) => t, alpha: (t) => 1 - t / 10, sigma: (t) => 0.1 + t / 5 },
    roles: { t: 'timestep', alpha: 'alpha', sigma: 'sigma' },
  };
  const at = (ratio: number) => logNormalLevels(vp, { mean: Math.log(ratio), std: 1 })([0], { first: 0, last: 4 });
  assert.deepEqual([at(0.1), at(0.32), at(0.9 / 0.6), at(9)], [[0], [1], [4], [4]]);
});

const config = (change: object = {}, teacher = 'builtin:scenes') => {
  const quiet = { samplesEvery: 0, fieldsEvery: 0, probeEvery: 0, histogramsEvery: 0, healthEvery: 0 };
  const base = {
    ...{ kind: 'distill', method: 'diff-instruct', name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
    ...{ iterations: 5, batch: 3, record: quiet, checkpoint: { every: 0 } },
    generator: { lr: 1e-3, ema: 0.9 },
    fake: { lr: 2e-3, updatesPerStep: 2 },
  };
  const parsed = parseConfig(JSON.stringify({ ...base, ...change }), 'tiny');
  assert.ok(parsed.kind === 'distill');
  return parsed;
};

test('an iteration draws what DMD draws but for the levels, whose logarithms have the mean and spread that were asked for', () => {
  const of = (change: object) =>
    diffInstructDraws(diffInstructConfig(config(change)), { shape: [1, 2, 2], levels: edm }, classConditions(3));
  const [own, dmd] = [of({}), streamDraws(5, [1, 2, 2], classConditions(3))];
  const at = { step: 4, micro: 1, update: 2 };
  assert.deepEqual(of({ matching: { time: 'uniform' } }).fake(at, 7, all), dmd.fake(at, 7, all));
  assert.deepEqual(own.latents(at, 3), dmd.latents(at, 3));
  for (const what of ['matching', 'fake'] as const) {
    const { indices, noise } = own[what](at, 4000, all);
    assert.deepEqual(own[what](at, 4000, all).indices, indices);
    assert.notDeepEqual(own[what]({ ...at, step: 5 }, 4000, all).indices, indices);
    assert.deepEqual(noise, dmd[what](at, 4000, all).noise);
    const logs = indices.map((i) => Math.log(sigmas[i]!));
    const mean = logs.reduce((sum, v) => sum + v, 0) / logs.length;
    const std = Math.sqrt(logs.reduce((sum, v) => sum + (v - mean) ** 2, 0) / logs.length);
    assert.ok(Math.abs(mean + 1.2) < 0.1 && Math.abs(std - 1.2) < 0.1, `${what}: ${mean}, ${std}`);
  }
  assert.notDeepEqual(own.matching(at, 50, all).indices, own.fake(at, 50, all).indices);
});

test('its config is DMD without regression; the paper names the defaults, and the presets leave weight and levels to them', () => {
  const given = parseConfig('{"kind": "distill", "method": "diff-instruct"}', 'a') as DistillConfig;
  const { regression, matching, generator, fake } = asDmd(given);
  assert.deepEqual(
    [regression.enabled, matching.weight, matching.minStep, matching.maxStep],
    [false, 'sigma^2/alpha', 0, 999],
  );
  for (const { lr, beta1, weightDecay, clip } of [generator, fake])
    assert.deepEqual([lr, beta1, weightDecay, clip], [1e-5, 0, 0, 0]);
  assert.deepEqual([generator.sigma, fake.updatesPerStep], [1, 1]);
  for (const name of ['scenes-diff-instruct', 'figure-3-diff-instruct']) {
    const preset = diffInstructConfig(presetConfig('distill', name, '/') as DistillConfig);
    assert.deepEqual(
      [preset.method, preset.matching.weight, preset.matching.time],
      ['diff-instruct', 'sigma^2/alpha', 'log-normal'],
    );
  }
});

async function resumesAlike(wanted: DistillConfig) {
  const whole = await runHere({ config: wanted, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const first = await runHere({ config: wanted, root }, { until: 2 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped');
  await runHere({ folder: first.folder });
  assert.deepEqual(stateBytes(first.folder, 5), stateBytes(whole.folder, 5));
  return whole.folder;
}

test('it is checked, planned, trains with probe and health, and goes on from a stop with the same bits', async () => {
  const teacher = await tinyTeacher(root);
  const record = { samplesEvery: 3, samples: 2, probeEvery: 3, healthEvery: 2, histogramsEvery: 3, fieldsEvery: 5 };
  const wanted = config({ record, generator: { lr: 1e-3, ema: 0.9, sigma: 2.5 } }, teacher);
  assert.deepEqual(await new ConfigChecker(findingsOf).problems(JSON.stringify(wanted), path.join(root, 'a.json')), []);
  const plan = await planDistillation(wanted);
  assert.ok(plan.tried && plan.imagesPerUpdate === 3);
  const folder = await resumesAlike(wanted);
  const tags = curves(folder);
  for (const tag of ['loss/matching', 'loss/fake', 'vitals/fresh-fake', 'probe/cosine/500'])
    assert.ok(tags.has(tag), tag);
  const student = await openModel(path.join(folder, 'generator.safetensors'));
  assert.deepEqual([student.role, student.generatorSigma, student.again], ['generator', 2.5, []]);
  const saved = await writeSavedModel(folder, {}, (step) => ({ folder: root, name: `saved-${step}`, half: false }));
  assert.deepEqual((await openModel(saved.path)).weights, student.weights);
  const { run, listed } = await stagesOf(engine, wanted, root);
  assert.deepEqual(run, listed);
  const lines = methodOf(wanted)
    .listing(wanted)
    .map(({ text }) => text);
  assert.ok(
    lines.some((text) => text.endsWith('t in 0..999, ln(sigma/alpha) ~ N(-1.2, 1.2^2)')),
    lines.join('\n'),
  );
  assert.ok(lines.includes('    grad = alpha (muFake - muReal)'));
});

test('a mixture in the plane, with the generator resting first', async () => {
  const mixture = {
    modes: [
      [-0.75, 0],
      [0.75, 0],
    ],
    std: 0.1,
  };
  const folder = await resumesAlike(config({ mixture, generator: { lr: 1e-3, rest: 2 } }, 'builtin:mixture'));
  assert.equal((await openModel(path.join(folder, 'generator.safetensors'))).role, 'generator');
});

test('a text-to-image teacher, guided, by whole timesteps', async () => {
  const teacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
  const prompts = path.join(root, 'prompts.txt');
  fs.writeFileSync(prompts, 'a red circle\ntwo blue stars on green\na square\n');
  const folder = await resumesAlike(config({ text: { prompts, guidance: 2 }, batch: 1, fake: { lr: 2e-3 } }, teacher));
  assert.ok(fs.existsSync(path.join(folder, 'generator', 'dmd.json')));
});

test('what does not go together is said at its key', async () => {
  const texts = (change: object) =>
    configProblems(JSON.stringify({ kind: 'distill', method: 'diff-instruct', ...change }))
      .map(({ what }) => what)
      .join();
  assert.match(texts({ matching: { levels: { count: 50 } } }), /matching\.maxStep.*must be below levels\.count, 50/);
  assert.match(texts({ matching: { minStep: 9, maxStep: 3 } }), /matching\.minStep.*must not be above maxStep, 3/);
  assert.match(texts({ matching: { logStd: 0 } }), /matching\.logStd/);
  assert.match(texts({ regression: { enabled: false } }), /regression/);
  assert.match(texts({ fake: { updatesPerStep: 0 } }), /fake\.updatesPerStep/);
  const missing = config({}, path.join(root, 'missing.safetensors'));
  assert.deepEqual(
    (await findingsOf(missing)).map(({ key }) => key),
    ['teacher'],
  );
  await assert.rejects(methodOf(missing).plan(missing), /missing\.safetensors/);
  const teacher = await tinyTeacher(root, { label_dim: 0 });
  assert.match(
    (await findingsOf(config({ labels: 'none' }, teacher))).map(({ message }) => message).join(),
    /has no classes/,
  );
});
