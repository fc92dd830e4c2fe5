import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { registerDistill } from '../../backend/cli/commands/distill.ts';
import { registerTeach } from '../../backend/cli/commands/teach.ts';
import { presetFile, presetNames } from '../../backend/cli/train/presets.ts';
import { learningRate } from '../../backend/dmd/schedule.ts';
import { createNetwork } from '../../backend/nets/index.ts';
import { readConfigFile } from '../../backend/runs/config-file.ts';

test('every preset is a sound config of its kind', () => {
  for (const kind of ['distill', 'teach'] as const) {
    assert.ok(presetNames(kind).includes('scenes'));
    for (const name of presetNames(kind)) assert.equal(readConfigFile(presetFile(kind, name)).kind, kind, name);
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
    const config = readConfigFile(presetFile('distill', expected.name));
    assert.ok(config.kind === 'distill');
    const { batch, accumulation, iterations, regression, generator, fake } = config;
    const { count, steps } = regression.pairs;
    const found = { images: batch * accumulation, pairs: count, steps, iterations, lr: generator.lr };
    assert.deepEqual({ name: expected.name, ...found, lambda: regression.lambda }, expected);
    assert.equal(fake.lr, generator.lr);
    assert.deepEqual([generator.warmup, generator.weightDecay, generator.clip], [500, 0.01, 10]);
  }
});

test('the built-in teacher: two megabytes in float16, seeds and rates as it was trained with', () => {
  const config = readConfigFile(presetFile('teach', 'scenes'));
  assert.ok(config.kind === 'teach');
  assert.equal(createNetwork(config.network).layout.size, 1_030_659);
  assert.deepEqual([config.seed, config.batch, config.data.seed, config.data.count], [1, 32, 0, 1_000_000]);
  assert.equal(learningRate(config.optimizer, 200, config.iterations), 1e-3);
  assert.ok(learningRate(config.optimizer, 201, config.iterations) < 1e-3);
});
