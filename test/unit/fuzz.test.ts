/**
 * The short form of `npm run fuzz`: what it ever found stays harmless, and so are some inputs for each reader, the same ones in every
 * run and other ones. In a process of its own, with the limits of the long form.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Judge } from '../fuzz/judge.ts';
import { isFinding, type Order } from '../fuzz/order.ts';
import { readers } from '../fuzz/readers/index.ts';
import { randomBelow } from '../random.ts';

const judge = new Judge();
after(() => judge.end());

async function harmless(order: Order, again: string): Promise<string> {
  const outcome = await judge.judge(order);
  assert.ok(!isFinding(outcome), `${outcome.kind}, again with npm run fuzz -- --only ${again}\n${outcome.what}`);
  return outcome.kind;
}

const corpus = fileURLToPath(new URL('../fuzz/corpus', import.meta.url));

test('what was found before is read or refused', { timeout: 300_000 }, async () => {
  for (const reader of fs.readdirSync(corpus)) {
    for (const name of fs.readdirSync(path.join(corpus, reader))) {
      const folder = path.join(corpus, reader, name);
      await harmless({ reader, input: { folder } }, `${reader}:${path.relative(process.cwd(), folder)}`);
    }
  }
});

const perReader = 5;

test('inputs for every reader end in time, in memory, and in words for a person', { timeout: 300_000 }, async () => {
  for (const { name } of readers) {
    const fresh = Array.from({ length: perReader }, () => randomBelow(2 ** 31));
    const fixed = Array.from({ length: perReader }, (_, i) => i);
    for (const seed of [...fixed, ...fresh]) await harmless({ reader: name, input: { seed } }, `${name}:${seed}`);
  }
});
