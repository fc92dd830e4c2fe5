import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { registerDistill } from '../../backend/cli/commands/distill.ts';
import { registerTeach } from '../../backend/cli/commands/teach.ts';
import type { Dmd2Config } from '../../backend/methods/dmd2/as-dmd.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { commandOfKind, parseConfig } from '../../backend/protocol/config/index.ts';
import { presetConfig, presetNames, presets, presetText } from '../../backend/runs/presets.ts';
import { learningRate } from '../../backend/training/schedule.ts';

test('every preset is a sound config of its kind', () => {
  for (const kind of ['distill', 'teach'] as const) {
    assert.ok(presetNames(kind).includes('scenes'));
    for (const name of presetNames(kind)) assert.equal(commandOfKind(presetConfig(kind, name, '/').kind), kind, name);
  }
});

test('the help of a command names its presets', () => {
  for (const [kind, register] of [
    ['distill', registerDistill],
    ['teach', registerTeach],
  ] as const) {
    const program = new Command();
    register(program);
    const help = program.commands[0].helpInformation().replaceAll(/\s+/g, ' ');
    assert.ok(help.includes(`instead of a file: ${presetNames(kind).join(', ')} --`), help);
  }
});

test("the paper's presets have the paper's batch, pairs, iterations and rates", () => {
  const paper = [
    { name: 'cifar10', images: 392, pairs: 100_000, steps: 18, iterations: 300_000, lr: 5e-5, lambda: 0.25 },
    {
      name: 'cifar10-unconditional',
      images: 392,
      pairs: 500_000,
      steps: 18,
      iterations: 300_000,
      lr: 5e-5,
      lambda: 0.5,
    },
    { name: 'imagenet64', images: 336, pairs: 25_000, steps: 256, iterations: 350_000, lr: 2e-6, lambda: 0.25 },
  ];
  for (const expected of paper) {
    const config = presetConfig('distill', expected.name, '/models');
    assert.ok(config.kind === 'distill');
    const { batch, accumulation, iterations, regression, generator, fake } = config;
    const { count, steps } = regression.pairs;
    const found = { images: batch * accumulation, pairs: count, steps, iterations, lr: generator.lr };
    assert.deepEqual({ name: expected.name, ...found, lambda: regression.lambda }, expected);
    assert.equal(fake.lr, generator.lr);
    assert.match(config.teacher, /^\/models\/edm-[a-z0-9-]+\.pkl$/, 'never the built-in teacher by mistake');
    assert.deepEqual([generator.warmup, generator.weightDecay, generator.clip], [500, 0.01, 10]);
  }
});

test("DMD2's preset for ImageNet has its paper's batch, rates, weights and time scales, and real images", () => {
  const config = presetConfig('distill', 'imagenet64-dmd2', '/models') as unknown as Dmd2Config;
  const { batch, accumulation, generator, fake, discriminator, gan, data, steps } = config;
  assert.deepEqual([batch * accumulation, fake.updatesPerStep, steps.at], [280, 5, []]);
  assert.deepEqual([generator.lr, fake.lr, discriminator.lr], [2e-6, 2e-6, 2e-6]);
  assert.deepEqual([gan.generatorWeight, gan.discriminatorWeight, gan.maxStep], [3e-3, 1e-2, 999]);
  assert.deepEqual(
    [config.teacher, data.source],
    ['/models/edm-imagenet-64x64-cond-adm.pkl', '/models/imagenet-64x64.zip'],
  );
});

test('the built-in teacher: two megabytes in float16, seeds and rates as it was trained with', () => {
  const config = presetConfig('teach', 'scenes', '/');
  assert.ok(config.kind === 'teach');
  assert.equal(createNetwork(config.network).layout.size, 1_030_659);
  assert.deepEqual([config.seed, config.batch, config.data.seed, config.data.count], [2, 8, 0, 1_000_000]);
  assert.equal(learningRate(config.optimizer, 300, config.iterations), 1e-3);
  assert.ok(learningRate(config.optimizer, 301, config.iterations) < 1e-3);
});

test("an ablation differs from the built-in model's preset in what it is named for, and in nothing else", () => {
  const base = presetConfig('distill', 'scenes', '/');
  assert.ok(base.kind === 'distill');
  const { generator, matching, regression } = base;
  const changes = {
    'scenes-no-matching': { matching: { ...matching, enabled: false } },
    'scenes-no-regression': { regression: { ...regression, enabled: false }, generator: { ...generator, lr: 2e-5 } },
    'scenes-sigma': { matching: { ...matching, weight: 'sigma/alpha' } },
    'scenes-sigma3': { matching: { ...matching, weight: 'sigma^3/alpha' } },
  };
  for (const [name, change] of Object.entries(changes)) {
    assert.deepEqual(presetConfig('distill', name, '/'), { ...base, name, ...change });
  }
});

test('the text of a preset is a config that says what it is, and no other preset has the same title', () => {
  for (const { kind, name, detail } of presets) {
    const text = presetText(kind, name);
    const expected = presetConfig(kind, name, '/');
    assert.equal(parseConfig(text, name).iterations, expected.iterations);
    assert.match(text, /^\{\n {2}\/\/ .+\n/, name);
    const comment = text.match(/(?<=^ {2}\/\/ ).*$/gm)?.join(' ');
    if (name.startsWith('scenes') && kind === 'distill') assert.equal(comment, detail, 'and no other');
  }
  assert.equal(new Set(presets.map(({ kind, title }) => `${kind} ${title}`)).size, presets.length);
});
