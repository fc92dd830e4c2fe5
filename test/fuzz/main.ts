/**
 * npm run fuzz: reads inputs that are damaged, hostile or senseless until the time is over, in as many processes as there are
 * cores, and ends with what came of them, exit code 1 where something was found.
 *
 *   npm run fuzz -- --minutes 5
 *   npm run fuzz -- --readers events,npz --seed 7     these alone, from a seed
 *   npm run fuzz -- --only events:123                 one input again
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Dice } from './dice.ts';
import { writeFiles } from './files.ts';
import { Judge } from './judge.ts';
import { isFinding, type Outcome } from './order.ts';
import type { Reader } from './reader.ts';
import { prepare, readers } from './readers/index.ts';
import { shrink, signatureOf } from './shrink.ts';
import { Tally } from './tally.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    readers: { type: 'string', default: readers.map(({ name }) => name).join() },
    only: { type: 'string' },
    jobs: { type: 'string', default: String(os.availableParallelism()) },
  },
});

const results = 'test-results/fuzz';
const chosen = values.readers.split(',').map((name) => readerCalled(name));
await prepare();
process.exitCode = values.only === undefined ? await campaign(Number(values.seed)) : await once(values.only);

async function campaign(firstSeed: number): Promise<number> {
  const end = performance.now() + 60_000 * Number(values.minutes);
  console.log(
    `${values.minutes} minutes, ${values.jobs} processes, from seed ${firstSeed}; findings go to ${results}/`,
  );
  const tally = new Tally(chosen.map(({ name }) => name));
  const known = new Set<string>();
  let next = 0;
  const lane = async () => {
    const judge = new Judge();
    while (performance.now() < end) {
      const reader = chosen[next % chosen.length]!;
      const seed = firstSeed + Math.floor(next++ / chosen.length);
      const outcome = await judge.judge({ reader: reader.name, input: { seed } });
      tally.add(reader.name, outcome);
      if (!isFinding(outcome)) continue;
      const signature = `${reader.name} ${signatureOf(outcome)}`;
      console.log(
        `\n${reader.name}:${seed} ${outcome.kind}${known.has(signature) ? ', as before' : `: ${outcome.what}`}`,
      );
      if (known.has(signature)) continue;
      known.add(signature);
      await keep(judge, reader, seed, outcome);
    }
    judge.end();
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, lane));
  console.log(`\n${tally.table()}\n${known.size} kinds of findings, from seed ${firstSeed}`);
  return known.size > 0 ? 1 : 0;
}

/** Saves a finding as small as it gets. */
async function keep(judge: Judge, reader: Reader, seed: number, outcome: Outcome): Promise<void> {
  const made = reader.make(new Dice(reader.name, seed));
  const files = Object.fromEntries(Object.entries(made).map(([name, content]) => [name, Buffer.from(content)]));
  const small = await shrink(judge, reader.name, files, outcome);
  const folder = path.join(results, `${reader.name}-${seed}`);
  writeFiles(path.join(folder, 'input'), small);
  fs.writeFileSync(path.join(folder, 'finding.txt'), `${reader.name}:${seed} ${outcome.kind}\n${outcome.what}\n`);
}

async function once(name: string): Promise<number> {
  const [reader = '', seed = ''] = name.split(':');
  readerCalled(reader);
  const judge = new Judge();
  const outcome = await judge.judge({ reader, input: fs.existsSync(seed) ? { folder: seed } : { seed: Number(seed) } });
  judge.end();
  const { kind, what, peakBytes, inputBytes, milliseconds } = outcome;
  console.log(
    `${kind}; ${inputBytes} bytes, ${Math.round(milliseconds)} ms, ${Math.round(peakBytes / 2 ** 20)} MB\n${what}`,
  );
  return isFinding(outcome) ? 1 : 0;
}

function readerCalled(name: string): Reader {
  const reader = readers.find((candidate) => candidate.name === name);
  if (reader) return reader;
  console.error(`no reader is called ${name}; there are ${readers.map((known) => known.name).join(', ')}`);
  process.exit(2);
}
