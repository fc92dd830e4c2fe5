/**
 * What a run waits for before its first step: the programs of a DMD iteration of the built-in model, written and opened, on both ways
 * into ONNX Runtime, which take turns. The binding opens one after the other with every optimizer of the runtime; the C API opens them
 * side by side, without the optimizers that find nothing (backend/engine/onnxruntime/c-api/optimizers.ts).
 *
 *     npm run bench -- opening --threads=2 --turns=5
 */
import { createOnnxRuntimeEngine, type Way, ways } from '../../backend/engine/onnxruntime/engine.ts';
import { dmdCase } from './lib/dmd-case.ts';
import { benchTrainer } from './lib/dmd-trainer.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { spread } from './lib/statistics.ts';

interface Turn {
  readonly milliseconds: number;
  /** Processor time of all threads. */
  readonly cpu: number;
}

const threads = threadsOption();
const turns = numberOption('turns', 5);
const bench = dmdCase();
const taken: Record<Way, Turn[]> = { 'c-api': [], node: [] };
for (let turn = -1; turn < turns; turn++) {
  for (const way of turn % 2 === 0 ? ways : [...ways].reverse()) {
    const done = await open(way);
    // The first turn warms up what writes the programs.
    if (turn >= 0) taken[way].push(done);
  }
}
report();
process.exit(0);

async function open(way: Way): Promise<Turn> {
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads, way });
  const [start, used] = [performance.now(), process.cpuUsage()];
  await benchTrainer(engine, bench);
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  await engine.dispose();
  return { milliseconds, cpu: (user + system) / 1000 };
}

function report(): void {
  console.log(`The programs of a DMD iteration, opened with ${threads} thread(s), ${turns} turns each`);
  for (const way of ways) {
    const of = (value: (turn: Turn) => number) => spread(taken[way].map(value), 0);
    console.log(`  ${way.padEnd(6)} ${of((turn) => turn.milliseconds)} ms, processor ${of((turn) => turn.cpu)}`);
  }
  const ratio = (value: (turn: Turn) => number) =>
    spread(
      taken['c-api'].map((turn, i) => value(turn) / value(taken.node[i]!)),
      2,
    );
  console.log(`  ratio ${ratio((turn) => turn.milliseconds)}; of processor time ${ratio((turn) => turn.cpu)}`);
}
