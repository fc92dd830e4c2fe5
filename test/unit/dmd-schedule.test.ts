import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distillSettings } from '../../backend/methods/dmd/settings.ts';
import { parseConfig, type TeachConfig } from '../../backend/protocol/config/index.ts';
import { emaDecay, learningRate, updateSettingsOf } from '../../backend/training/schedule.ts';
import { distillConfig, teachConfig } from './training/tiny.ts';

test('the learning rate rises linearly from 0 and, with cosine, falls to 0 in the last iteration', () => {
  const rate = { lr: 1e-3, warmup: 200, decay: 'cosine' as const };
  for (const step of [1, 77, 200]) assert.equal(learningRate(rate, step, 5000), 1e-3 * (step / 200));
  for (const step of [201, 2600, 4999]) {
    assert.equal(learningRate(rate, step, 5000), 1e-3 * (0.5 * (1 + Math.cos((Math.PI * (step - 200)) / 4800))));
  }
  assert.equal(learningRate(rate, 2600, 5000).toPrecision(6), '0.000500000');
  assert.equal(learningRate(rate, 5000, 5000), 0);
  assert.equal(learningRate(rate, 6000, 5000), 0, 'it does not rise again');
});

test('without decay the rate stays; without warm-up it is there from the first iteration', () => {
  assert.equal(learningRate({ lr: 3, warmup: 0, decay: 'none' }, 1, 10), 3);
  assert.equal(learningRate({ lr: 3, warmup: 2, decay: 'none' }, 900, 10), 3);
  assert.equal(learningRate({ lr: 3, warmup: 20, decay: 'cosine' }, 5, 10), 0.75, 'a run shorter than its warm-up');
});

test('the average forgets its start: at most (1 + n) / (10 + n)', () => {
  assert.equal(emaDecay(0.999, 1), 2 / 11);
  assert.equal(emaDecay(0.999, 100_000), 0.999);
  assert.equal(emaDecay(0, 50), 0);
});

test('a distillation follows its schedules; whole level indices, the lowest never above the highest', () => {
  const config = distillConfig('unused', {
    iterations: 100,
    generator: { lr: 0.5, warmup: 0, clip: 0 },
    fake: { lr: 0.25, warmup: 4, weightDecay: 0.125 },
    schedules: {
      lambda: [
        [10, 1],
        [20, 0],
      ],
      minStep: [
        [1, 0],
        [100, 900],
      ],
      maxStep: [
        [1, 980],
        [100, 500],
      ],
    },
  });
  assert.equal(config.kind, 'distill');
  const at = distillSettings(config as Extract<typeof config, { kind: 'distill' }>);
  assert.deepEqual(
    [1, 10, 15, 20, 99].map((step) => at(step).lambda),
    [1, 1, 0.5, 0, 0],
  );
  assert.equal(at(2).fake.learningRate, 0.125);
  assert.equal(at(2).fake.weightDecay, 0.125);
  assert.deepEqual(at(2).fake.emaDecays, [], 'nothing reads an average of the fake score');
  assert.equal(at(2).generator.clip, Number.POSITIVE_INFINITY, 'clip 0 is no limit');
  assert.equal(at(2).firstLevel, 9);
  assert.equal(at(2).lastLevel, 975);
  for (let step = 1; step <= 100; step++) {
    const { firstLevel, lastLevel } = at(step);
    assert.ok(Number.isInteger(firstLevel) && firstLevel <= lastLevel, `step ${step}`);
  }
});

test("the defaults of a distillation are the paper's: AdamW (0.9, 0.999), decay 0.01, clip 10, 500 warm-up steps", () => {
  const config = parseConfig('{"kind": "distill"}', 'defaults');
  assert.ok(config.kind === 'distill');
  const { generator, fake, lambda, firstLevel, lastLevel } = distillSettings(config)(1000);
  const paper = {
    learningRate: 5e-5,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    clip: 10,
    emaDecays: [],
  };
  assert.deepEqual(generator, paper);
  assert.deepEqual(fake, paper);
  assert.deepEqual([lambda, firstLevel, lastLevel], [0.25, 20, 980]);
  assert.equal(distillSettings(config)(250).generator.learningRate, 5e-5 / 2);
});

test('a teacher has one optimizer, with the average over it', () => {
  const config = teachConfig({ optimizer: { lr: 1, warmup: 10 }, ema: 0.5, iterations: 50 }) as TeachConfig;
  const {
    learningRate: rate,
    emaDecays: [decay],
  } = updateSettingsOf(config)(5);
  assert.equal(rate, 0.5);
  assert.equal(decay, 6 / 15);
});
