// Makes the tables of docs/results.md: npm run results [-- --iterations N --seeds 1,2,3]
//
// Every variant starts from the same teacher and sees the same pairs, for the same number of iterations; what differs is
// named below and nothing else. Finished runs are kept, so it can be stopped and started again. Prints the tables.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main } from './lib/console.mjs';

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '2000' },
    seeds: { type: 'string', default: '1,2,3' },
    folder: { type: 'string', default: 'runs/results' },
  },
});

/** Name -> changes of media/scenes/generator.dmd.json. */
const variants = {
  'DMD (eq8)': [],
  'without distribution matching': ['matching.enabled=false'],
  'without regression': ['regression.enabled=false'],
  'weight sigma/alpha': ['matching.weight="sigma/alpha"'],
  'weight sigma^3/alpha': ['matching.weight="sigma^3/alpha"'],
};

function dmd(args) {
  return execFileSync(process.execPath, ['dist/dmd.js', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function score(model, seed, steps) {
  const extra = steps ? ['--steps', String(steps)] : [];
  const lines = dmd(['score', model, '--seed', String(100_000 * seed), '--json', ...extra])
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line)).find((event) => event.event === 'score');
}

/** What `make` returns, kept in a file. */
function once(name, make) {
  const file = join(values.folder, `${name.replace(/[^a-z0-9]+/gi, '-')}.json`);
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(make()));
  return JSON.parse(readFileSync(file, 'utf8'));
}

function distilled(name, changes, seed) {
  const out = join(values.folder, name.replace(/[^a-z0-9]+/gi, '-'), String(seed));
  const unfinished = existsSync(out) ? readdirSync(out).map((run) => join(out, run)) : [];
  const set = [`regression.pairs.path="${join(process.cwd(), values.folder, 'pairs')}"`, ...changes];
  const fresh = ['--preset', 'scenes', '--seed', String(seed), '--iterations', values.iterations, '--out', out];
  const changed = set.flatMap((change) => ['--set', change]);
  dmd(['distill', ...(unfinished.length > 0 ? ['--resume', unfinished[0]] : [...fresh, ...changed])]);
  const [run] = readdirSync(out);
  return score(join(out, run, 'generator.safetensors'), seed);
}

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const spread = (numbers) => Math.sqrt(mean(numbers.map((x) => (x - mean(numbers)) ** 2)));

function row(name, scores) {
  const cell = (numbers, digits) => `${mean(numbers).toFixed(digits)} ± ${spread(numbers).toFixed(digits)}`;
  const distances = scores.map(({ distance }) => distance);
  const accepted = scores.map((result) => 100 * result.accepted);
  return `| ${name} | ${scores[0].calls} | ${cell(distances, 2)} | ${cell(accepted, 1)} % |`;
}

main(async () => {
  mkdirSync(values.folder, { recursive: true });
  const seeds = values.seeds.split(',').map(Number);
  dmd(['pairs', 'builtin:scenes/teacher', '--out', join(values.folder, 'pairs'), '--count', '2000']);
  const each = (name, make) =>
    row(
      name,
      seeds.map((seed) => once(`${name}-${seed}`, () => make(seed))),
    );
  const rows = [
    each('teacher, 18 Heun steps', (seed) => score('builtin:scenes/teacher', seed)),
    each('generator at its start (the teacher called once)', (seed) => score('builtin:scenes/teacher', seed, 1)),
    each('shipped generator', (seed) => score('builtin:scenes/generator', seed)),
    ...Object.entries(variants).map(([name, changes]) => each(name, (seed) => distilled(name, changes, seed))),
  ];
  console.log('| model | calls | FD (scenes features, 2000) | accepted (of 1000) |\n| --- | --- | --- | --- |');
  for (const line of rows) console.log(line);
  return 0;
});
