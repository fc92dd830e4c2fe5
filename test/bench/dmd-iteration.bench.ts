/**
 * One DMD iteration of the built-in model (32 images and 32 pairs) against the same iteration in PyTorch with as many
 * threads. Both sides do the first iteration on the same recorded draws and must agree; then they take turns, one
 * iteration each, so that whatever else the machine does hits both. Prints the ratio of each turn: median and quartiles.
 *
 *     npm run bench -- dmd-iteration --threads=2 --turns=15
 *
 * PyTorch is found through DMD_BENCH_PYTHON or python3; without it our own times alone are printed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { readSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';
import { savedBy } from '../unit/training/saved.ts';
import { checkAgreement } from './lib/agreement.ts';
import { dmdCase, settings } from './lib/dmd-case.ts';
import { benchTrainer } from './lib/dmd-trainer.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { median, spread } from './lib/statistics.ts';
import { type Parts, timedEngine } from './lib/timed-engine.ts';
import { findTorch, LineProcess } from './lib/torch.ts';

interface Turn {
  milliseconds: number;
  /** Processor time of all threads: what is left to compare where others use the machine too. */
  cpu: number;
  parts: Parts;
}

const threads = threadsOption();
const turns = numberOption('turns', 15);
const script = fileURLToPath(new URL('./dmd_iteration.py', import.meta.url));
const bench = dmdCase();
const { engine, parts } = timedEngine(createOnnxRuntimeEngine({ device: 'cpu', threads }));
const trainer = await benchTrainer(engine, bench);

const { scalars } = await trainer.advance();
const torch = findTorch();
if ('missing' in torch) {
  console.log(`skipped: no comparison, ${torch.missing}. Set DMD_BENCH_PYTHON to a Python that has it.`);
} else {
  console.log(`PyTorch ${torch.version} and this project, ${threads} thread(s) each`);
}
const reference = 'missing' in torch ? null : await startReference(torch.python);

const ours: Turn[] = [];
const theirs: Turn[] = [];
for (let turn = -2; turn < turns; turn++) {
  const mine = await ourTurn();
  const answer = reference ? ((await reference.ask()) as Turn) : null;
  // The first two turns warm both up.
  if (turn < 0) continue;
  ours.push(mine);
  if (answer) theirs.push(answer);
}
reference?.close();
await trainer.dispose();
await engine.dispose();
report();

async function startReference(python: string): Promise<LineProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-bench-'));
  const [input, output] = ['case', 'result'].map((name) => join(folder, `${name}.safetensors`));
  const metadata = { network: JSON.stringify(bench.network.config), settings: JSON.stringify(settings) };
  await writeSafetensors(input, bench.tensors, { metadata });
  const child = new LineProcess(python, [script, input, output, `--threads=${threads}`]);
  await child.next();
  const { tensors } = await readSafetensors(output);
  const { layout } = bench.network;
  const errors = checkAgreement(scalars, await savedBy(trainer), layout, tensors, settings.learningRate);
  console.log(`  same first iteration; relative errors: ${errors}`);
  await rm(folder, { recursive: true });
  return child;
}

async function ourTurn(): Promise<Turn> {
  parts.clear();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await trainer.advance();
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { milliseconds, cpu: (user + system) / 1000, parts: parts.read() };
}

function report(): void {
  describe('this project', ours);
  if (theirs.length === 0) return;
  describe('PyTorch', theirs);
  const ratios = (of: (turn: Turn) => number) => ours.map((turn, i) => of(turn) / of(theirs[i]));
  const ratio = spread(
    ratios((turn) => turn.milliseconds),
    3,
  );
  const cpuRatio = spread(
    ratios((turn) => turn.cpu),
    3,
  );
  console.log(`  ratio ${ratio} over ${turns} turns, at most 1.3 wanted; of processor time ${cpuRatio}`);
}

function describe(who: string, all: Turn[]): void {
  const names = Object.keys(all[0].parts) as (keyof Parts)[];
  const details = names.map((name) => `${name} ${median(all.map(({ parts }) => parts[name])).toFixed(0)}`);
  const times = [all.map(({ milliseconds }) => milliseconds), all.map(({ cpu }) => cpu)].map((each) => spread(each, 0));
  console.log(`  ${who.padEnd(14)} ${times[0]} ms per iteration (processor ${times[1]}): ${details.join(', ')}`);
}
