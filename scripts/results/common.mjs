// What both tables of docs/results.md need: the program, results that are kept in files, runs that go on where they stopped.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Commands that ranks divide without a change of what comes of them. */
const divided = ['pairs', 'eval'];
let ranks = 1;

/** From now on so many ranks make pairs and evaluate, started by mpirun. */
export function shareOver(count) {
  ranks = count;
}

/** What a command prints. */
export function dmd(args) {
  const own = [process.execPath, 'dist/dmd.js', ...args];
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  const mpirun = ['mpirun', ...root, '--oversubscribe', '--bind-to', 'none', '-np', String(ranks)];
  const [program, ...words] = ranks > 1 && divided.includes(args[0]) ? [...mpirun, ...own] : own;
  return execFileSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The event of a kind that a command prints with --json. */
export function eventOf(kind, args) {
  const lines = dmd([...args, '--json'])
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line)).find(({ event }) => event === kind);
}

const fileName = (name) => name.replace(/[^a-z0-9]+/gi, '-');

/** What `make` returns, kept in a file of the folder. */
export function once(folder, name, make) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${fileName(name)}.json`);
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(make()));
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The run folder of a variant, finished: begun, or gone on with. @param pairs null for a method without
 * @param probes whether the method has a probe */
export function distilled({ folder, name, preset, pairs, changes, seed, iterations, probes = true }) {
  const out = join(folder, fileName(name), String(seed));
  const [begun] = existsSync(out) ? readdirSync(out) : [];
  if (begun) {
    const { state } = JSON.parse(readFileSync(join(out, begun, 'run.json'), 'utf8'));
    if (state !== 'finished') dmd(['distill', '--resume', join(out, begun)]);
    return join(out, begun);
  }
  const recorded = ['samples', ...(probes ? ['probe'] : []), 'fields', 'histograms'];
  const unwatched = recorded.map((name) => `record.${name}Every=0`);
  const paired = pairs ? [`regression.pairs.path=${JSON.stringify(resolve(pairs))}`] : [];
  const set = [...paired, ...unwatched, ...changes];
  const fresh = ['--preset', preset, '--seed', String(seed), '--iterations', String(iterations), '--out', out];
  dmd(['distill', ...fresh, ...set.flatMap((change) => ['--set', change])]);
  return join(out, readdirSync(out)[0]);
}

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const deviation = (numbers) => Math.sqrt(mean(numbers.map((x) => (x - mean(numbers)) ** 2)));

/** 'mean ± standard deviation'. */
export function cell(numbers, digits) {
  return `${mean(numbers).toFixed(digits)} ± ${deviation(numbers).toFixed(digits)}`;
}
