/**
 * Weak scaling: two ranks of one thread, each with its batch, against two independent runs of one thread side by side, in turns. Both
 * keep two cores busy; what the ranks lose is what they wait for each other and what summing costs. Built-in model, 16 images and 16
 * pairs per rank and iteration.
 *
 *     npm run bench -- ranks --pairs=3 --iterations=10
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numberOption } from './lib/options.ts';
import { median, spread } from './lib/statistics.ts';

const pairs = numberOption('pairs', 3);
const iterations = numberOption('iterations', 10);
/** Iterations at the beginning, which are not counted. */
const warmUp = 2;
const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dmd-ranks-bench-'));
const [begin, mpirun] = [
  [dmd, 'distill', '--preset', 'scenes', '--json'],
  ['mpirun', '--oversubscribe', '--bind-to', 'none'],
];

/** A run of its own, with nothing recorded and no pairs to be made. */
function args(out: string, ranks: number): string[] {
  const unwatched = ['samples', 'probe', 'fields', 'histograms', 'health'].map((name) => `record.${name}Every=0`);
  const set = [
    ...unwatched,
    ...['threads=1', 'batch=16', 'checkpoint.every=0', `iterations=${iterations + warmUp}`],
    ...[`regression.pairs.path=${join(folder, 'pairs')}`, 'regression.pairs.count=64'],
  ];
  const own = [...begin, '--out', join(folder, out), '--device', 'cpu', ...set.flatMap((change) => ['--set', change])];
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  return ranks === 1
    ? [process.execPath, ...own]
    : [...mpirun, ...root, '-np', String(ranks), process.execPath, ...own];
}

interface Measured {
  /** Of each iteration, by when it ended. */
  readonly seconds: readonly number[];
  /** The share of each iteration that the rank waited that waited least: what meeting costs when nobody is late. */
  readonly waiting: readonly number[];
}

async function measured(out: string, ranks: number): Promise<Measured> {
  const [program, ...words] = args(out, ranks);
  const child: ChildProcess = spawn(program!, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout!.on('data', (part) => {
    text += part;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`);
  const steps = text
    .split('\n')
    .filter((line) => line.startsWith('{"event":"step"'))
    .map((line) => JSON.parse(line) as { time: number; scalars: Record<string, number> })
    .slice(warmUp - 1);
  const shares = steps.slice(1).map(({ scalars }) => {
    return Math.min(...Object.entries(scalars).flatMap(([tag, value]) => (/^ranks.waiting/.test(tag) ? [value] : [])));
  });
  return { seconds: steps.slice(1).map(({ time }, i) => time - steps[i]!.time), waiting: shares };
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const merged = (all: readonly Measured[]): Measured => ({
  seconds: all.flatMap(({ seconds }) => seconds),
  waiting: [],
});

try {
  const made = spawn(process.execPath, [
    ...[dmd, 'pairs', 'builtin:scenes/teacher', '--count', '64', '--steps', '2', '--device', 'cpu'],
    ...['--out', join(folder, 'pairs')],
  ]);
  await once(made, 'close');
  const efficiencies: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const together = () => measured(`ranks-${pair}`, 2);
    const apart = async () => merged(await Promise.all(['a', 'b'].map((name) => measured(`${name}-${pair}`, 1))));
    const order = pair % 2 === 0 ? [together, apart] : [apart, together];
    const [first, second] = [await order[0]!(), await order[1]!()];
    const [ranks, runs] = pair % 2 === 0 ? [first, second] : [second, first];
    efficiencies.push(median(runs.seconds) / median(ranks.seconds));
    console.log(
      `two ranks ${spread(ranks.seconds, 2)} s an iteration, two runs ${spread(runs.seconds, 2)} s: ` +
        `efficiency ${percent(efficiencies.at(-1)!)}; the rank that waits least waits ${percent(median(ranks.waiting))}`,
    );
  }
  console.log(`median efficiency ${percent(median(efficiencies))}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
