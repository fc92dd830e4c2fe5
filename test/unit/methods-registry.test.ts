/** Another method of distillation is found by its name and brings its own keys, without an edit elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methodOf, registerMethod } from '../../backend/methods/index.ts';
import type { Method } from '../../backend/methods/method.ts';
import { configProblems, parseConfig } from '../../backend/protocol/config/index.ts';
import { type Complain, z } from '../../backend/protocol/config/section.ts';

const refused = () => Promise.reject(new Error('not run here'));
const toy: Method = {
  name: 'toy',
  section: {
    title: 'A toy.',
    keys: { strength: z.number().default(3) },
    check({ strength }: { readonly strength: number }, complain: Complain) {
      if (strength > 9) complain(['strength'], 'is too much');
    },
  },
  plan: refused,
  dryRun: refused,
  listing: () => [{ text: 'x = toy(z)', stage: 'generate' }],
};

test('a method that is registered is found by name, with its own keys and complaints', () => {
  assert.match(configProblems('{"kind": "distill", "method": "toy"}')[0]!.what, /method: expected "dmd", got "toy"/);
  registerMethod(toy);
  const config = parseConfig('{"kind": "distill", "method": "toy", "strength": 4}', 'toy');
  assert.ok(config.kind === 'distill');
  assert.equal((config as unknown as { strength: number }).strength, 4);
  assert.equal(config.batch, 16, 'and those of every distillation');
  assert.equal(methodOf(config), toy);
  const texts = (text: string) => configProblems(text).map(({ what }) => what);
  assert.match(texts('{"kind": "distill", "method": "toy", "strength": 10}').join(), /is too much/);
  assert.match(texts('{"kind": "distill", "method": "toy", "matching": {}}').join(), /matching/);
});

test('without a method it is dmd; a wrong one is named with what was meant', () => {
  const config = parseConfig('{"kind": "distill"}', 'plain');
  assert.ok(config.kind === 'distill');
  assert.equal(methodOf(config).name, 'dmd');
  assert.match(configProblems('{"kind": "distill", "method": "dmt"}')[0]!.what, /did you mean "dmd"/);
  assert.throws(() => methodOf({ method: 'none' }), /method: there is no 'none'/);
});
