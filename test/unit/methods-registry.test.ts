/**
 * Another method of distillation is a folder (toy-method/) and a name: it brings its own keys, is planned, trains, stops, resumes and
 * writes its weights, without an edit elsewhere.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { methodOf, registerMethod } from '../../backend/methods/index.ts';
import { openModel } from '../../backend/models/model-file.ts';
import { type Config, configProblems, parseConfig } from '../../backend/protocol/config/index.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { ConfigChecker } from '../../backend/server/configs/check.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { toy } from './toy-method/index.ts';
import { curves, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

// Before it is known; registered for the tests after.
const unknown = configProblems('{"kind": "distill", "method": "toy"}');
registerMethod(toy);

test('a method that is registered is found by name, with its own keys and complaints', () => {
  assert.match(unknown[0]!.what, /method: expected "dmd" or "dmd2".*, got "toy"/);
  const config = parseConfig('{"kind": "distill", "method": "toy", "grey": 0.25}', 'toy');
  assert.ok(config.kind === 'distill');
  assert.equal((config as unknown as { grey: number }).grey, 0.25);
  assert.equal(config.batch, 16, 'and those of every distillation');
  assert.equal(methodOf(config), toy);
  const texts = (text: string) => configProblems(text).map(({ what }) => what);
  assert.match(texts('{"kind": "distill", "method": "toy", "grey": 10}').join(), /is no brightness/);
  assert.match(texts('{"kind": "distill", "method": "toy", "matching": {}}').join(), /matching/);
});

test('without a method it is dmd; a wrong one is named with what was meant', () => {
  const config = parseConfig('{"kind": "distill"}', 'plain');
  assert.ok(config.kind === 'distill');
  assert.equal(methodOf(config).name, 'dmd');
  assert.match(configProblems('{"kind": "distill", "method": "dmt"}')[0]!.what, /did you mean "dmd"/);
  assert.throws(() => methodOf({ method: 'none' }), /method: there is no 'none'/);
});

function toyConfig(teacher: string): Config {
  const optimizer = { lr: 0.02, warmup: 0 };
  const config = {
    kind: 'distill',
    method: 'toy',
    name: 'toy',
    device: 'cpu',
    threads: 1,
    seed: 3,
    teacher,
    optimizer,
  };
  return parseConfig(JSON.stringify({ ...config, iterations: 30, batch: 3, checkpoint: { every: 0 } }), 'toy');
}

test('it is checked, planned, trains, and goes on from a stop with the same bits', async () => {
  const root = scratch();
  const config = toyConfig(await tinyTeacher(root));
  assert.ok(config.kind === 'distill');
  assert.deepEqual(await new ConfigChecker(findingsOf).problems(JSON.stringify(config), path.join(root, 'a.json')), []);
  const plan = await planDistillation(config);
  assert.ok(plan.tried && plan.imagesPerUpdate === 3 && plan.secondsPerUpdate > 0);

  const whole = await runHere({ config, root });
  assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
  const loss = curves(whole.folder).get('loss/generator')!;
  assert.ok(loss.at(-1)![1] < 0.3 * loss[0]![1], `${loss[0]} to ${loss.at(-1)}`);
  assert.ok((await openModel(path.join(whole.folder, 'generator.safetensors'))).network.labelDim === 3);

  const first = await runHere({ config, root }, { until: 12 });
  assert.ok(first.last.type === 'ended' && first.last.state === 'stopped');
  const second = await runHere({ folder: first.folder });
  assert.ok(second.last.type === 'ended' && second.last.state === 'finished');
  assert.deepEqual(stateBytes(first.folder, 30), stateBytes(whole.folder, 30));
  fs.rmSync(root, { recursive: true });
});
