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

/** Seconds of each iteration, by when it ended. */
async function measured(out: string, ranks: number): Promise<number[]> {
  const [program, ...words] = args(out, ranks);
  const child: ChildProcess = spawn(program!, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout!.on('data', (part) => {
    text += part;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`);
  const ends = text
    .split('\n')
    .filter((line) => line.startsWith('{"event":"step"'))
    .map((line) => (JSON.parse(line) as { time: number }).time);
  return ends
    .slice(1)
    .map((time, i) => time - ends[i]!)
    .slice(warmUp - 1);
}

try {
  const made = spawn(process.execPath, [
    ...[dmd, 'pairs', 'builtin:scenes/teacher', '--count', '64', '--steps', '2', '--device', 'cpu'],
    ...['--out', join(folder, 'pairs')],
  ]);
  await once(made, 'close');
  const efficiencies: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const together = () => measured(`ranks-${pair}`, 2);
    const apart = async () => (await Promise.all(['a', 'b'].map((name) => measured(`${name}-${pair}`, 1)))).flat();
    const order = pair % 2 === 0 ? [together, apart] : [apart, together];
    const [first, second] = [await order[0]!(), await order[1]!()];
    const [ranks, runs] = pair % 2 === 0 ? [first, second] : [second, first];
    efficiencies.push(median(runs) / median(ranks));
    console.log(
      `two ranks ${spread(ranks, 2)} s an iteration, two runs ${spread(runs, 2)} s: efficiency ${(100 * efficiencies.at(-1)!).toFixed(0)} %`,
    );
  }
  console.log(`median efficiency ${(100 * median(efficiencies)).toFixed(0)} %`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
