import assert from 'node:assert/strict';
import { test } from 'node:test';
import { karrasSigmas, karrasSteps } from '../../backend/diffusion/karras.ts';
import {
  type NoiseSchedule,
  songBetas,
  veSchedule,
  vpBetas,
  vpScaling,
  vpSchedule,
} from '../../backend/diffusion/schedules.ts';
import { defaultSpan, sigmaSteps } from '../../backend/diffusion/time-steps.ts';
import { readCaseArrays } from '../golden/read-case.ts';

function close(actual: number, expected: number, tolerance: number, what: string) {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual}, expected ${expected}`);
}

test("DMD's 1000 levels are the authors' to the last bit of float32", () => {
  const expected = readCaseArrays('dmd2-edm-guidance').karras_sigmas!.data;
  const sigmas = karrasSigmas();
  assert.equal(sigmas.length, 1000);
  for (const [i, sigma] of sigmas.entries()) close(sigma, expected[i]!, 2 ** -23, `level ${i}`);
  const equal = sigmas.filter((sigma, i) => sigma === expected[i]).length;
  assert.ok(equal >= 985, `${equal} of 1000 equal bit for bit`);
});

test('other tables: ends, order and length follow the options', () => {
  const levels = { sigmaMin: 0.01, sigmaMax: 50, rho: 5 };
  for (const n of [2, 7, 33, 250]) {
    const sigmas = karrasSigmas(n, levels);
    assert.equal(sigmas.length, n);
    close(sigmas[0]!, 0.01, 1e-5, 'first');
    close(sigmas.at(-1)!, 50, 1e-5, 'last');
    const exact = karrasSteps(n, levels).reverse();
    for (const [i, sigma] of sigmas.entries()) close(sigma, exact[i]!, 1e-5, `level ${i} of ${n}`);
  }
});

test('each schedule inverts itself and has the slope it says; so does the scaling', () => {
  const schedules: [string, NoiseSchedule][] = [
    ['vp', vpSchedule(songBetas)],
    ['vp fitted', vpSchedule(vpBetas(0.02, 60, 1e-3))],
    ['ve', veSchedule],
  ];
  for (const [name, schedule] of schedules) {
    const scaling = vpScaling(schedule);
    for (const t of [0.003, 0.17, 0.9]) {
      const h = 1e-6 * t;
      const slope = (f: (t: number) => number) => (f(t + h) - f(t - h)) / (2 * h);
      close(schedule.timeOf(schedule.sigma(t)), t, 1e-9, `${name}: inverse at ${t}`);
      close(schedule.sigmaDerivative(t), slope(schedule.sigma), 1e-6, `${name}: slope at ${t}`);
      close(scaling.scaleDerivative(t), slope(scaling.scale), 1e-5, `${name}: slope of the scaling at ${t}`);
      close(scaling.scale(t) ** 2 * (1 + schedule.sigma(t) ** 2), 1, 1e-12, `${name}: unit variance at ${t}`);
    }
  }
  const fitted = vpSchedule(vpBetas(0.02, 60, 1e-3));
  close(fitted.sigma(1e-3), 0.02, 1e-9, 'sigma at epsilon_s');
  close(fitted.sigma(1), 60, 1e-9, 'sigma at 1');
});

test('discretizations run from sigma_max down to sigma_min', () => {
  const constants = { rho: 7, epsilonS: 1e-3, C1: 0.001, C2: 0.008, M: 1000 };
  for (const discretization of ['vp', 've', 'edm'] as const) {
    const span = defaultSpan(discretization, constants.epsilonS);
    for (const numSteps of [1, 2, 9]) {
      const levels = sigmaSteps(discretization, { ...constants, ...span, numSteps });
      assert.equal(levels.length, numSteps);
      close(levels[0]!, span.sigmaMax, 1e-9, `${discretization} starts`);
      if (numSteps > 1) close(levels.at(-1)!, span.sigmaMin, 1e-9, `${discretization} ends`);
      assert.ok(levels.every((level, i) => i === 0 || level < levels[i - 1]!));
    }
  }
});

test('iddpm visits levels that the model was trained on, within the span, ties to even', () => {
  const options = { rho: 7, epsilonS: 1e-3, C1: 0.001, C2: 0.008, M: 40, sigmaMin: 0.05, sigmaMax: 30 };
  const all = sigmaSteps('iddpm', { ...options, M: 40, numSteps: 5, sigmaMin: 0, sigmaMax: Infinity });
  assert.equal(all.at(-1), 0);
  const trained = sigmaSteps('iddpm', { ...options, numSteps: 41, sigmaMin: 0, sigmaMax: Infinity });
  const within = trained.filter((level) => level >= 0.05 && level <= 30);
  assert.ok(within.length > 20 && within.length < 41);
  const evens = sigmaSteps('iddpm', { ...options, numSteps: (within.length - 1) * 2 + 1 });
  // Half-way indices 0.5, 1.5, 2.5 go to 0, 2, 2.
  const nearest = [0, 0, 1, 2, 2, 2, 3, 4, 4].map((index) => within[index]);
  assert.deepEqual(evens.slice(0, 9), nearest);
  assert.throws(() => sigmaSteps('iddpm', { ...options, numSteps: 3, sigmaMin: 1e8, sigmaMax: 1e9 }), {
    name: 'UserError',
    kind: 'config',
    message: /No iDDPM noise level .* sigma_min 100000000 /,
  });
});
