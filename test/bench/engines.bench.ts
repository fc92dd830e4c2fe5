/**
 * The same DMD iteration of the built-in model on both ways into ONNX Runtime, onnxruntime-node and its C API, which take turns. Prints
 * the ratio of each turn, C API over binding, in wall clock and in processor time: median and quartiles; how long JavaScript was
 * held up; and whether both came to the same numbers.
 *
 *     npm run bench -- engines --threads=2 --turns=9
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createOnnxRuntimeEngine, type Way, ways } from '../../backend/engine/onnxruntime/engine.ts';
import type { Trainer } from '../../backend/training/trainer.ts';
import { dmdCase } from './lib/dmd-case.ts';
import { benchTrainer } from './lib/dmd-trainer.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { median, spread } from './lib/statistics.ts';
import { type Parts, timedEngine } from './lib/timed-engine.ts';

interface Turn {
  readonly milliseconds: number;
  /** Processor time of all threads. */
  readonly cpu: number;
  /** The longest time that nothing else could happen in JavaScript. */
  readonly heldUp: number;
  readonly parts: Parts;
}

interface Side {
  readonly way: Way;
  readonly trainer: Trainer;
  readonly parts: { read(): Parts; clear(): void };
  readonly turns: Turn[];
  losses: string;
}

const threads = threadsOption();
const turns = numberOption('turns', 9);
const bench = dmdCase();
const sides: Side[] = [];
for (const way of ways) {
  const { engine, parts } = timedEngine(createOnnxRuntimeEngine({ device: 'cpu', threads, way }));
  sides.push({ way, trainer: await benchTrainer(engine, bench), parts, turns: [], losses: '' });
}

for (let turn = -2; turn < turns; turn++) {
  for (const side of turn % 2 === 0 ? sides : [...sides].reverse()) {
    const done = await take(side);
    // The first two turns warm both up.
    if (turn >= 0) side.turns.push(done);
  }
}
report();
process.exit(0);

async function take(side: Side): Promise<Turn> {
  side.parts.clear();
  const delays = monitorEventLoopDelay({ resolution: 20 });
  delays.enable();
  const [start, used] = [performance.now(), process.cpuUsage()];
  const { scalars } = await side.trainer.advance();
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  await new Promise((resolve) => setTimeout(resolve, 40));
  delays.disable();
  side.losses += JSON.stringify(scalars);
  return { milliseconds, cpu: (user + system) / 1000, heldUp: delays.max / 1e6, parts: { ...side.parts.read() } };
}

function report(): void {
  console.log(`ONNX Runtime through its C API and through onnxruntime-node, ${threads} thread(s), ${turns} turns each`);
  for (const { way, turns: all } of sides) {
    const names = Object.keys(all[0]!.parts) as (keyof Parts)[];
    const details = names.map((name) => `${name} ${median(all.map(({ parts }) => parts[name])).toFixed(0)}`);
    const of = (value: (turn: Turn) => number) => spread(all.map(value), 0);
    console.log(
      `  ${way.padEnd(6)} ${of((turn) => turn.milliseconds)} ms, processor ${of((turn) => turn.cpu)}, ` +
        `held up ${of((turn) => turn.heldUp)}: ${details.join(', ')}`,
    );
  }
  const [ours, binding] = sides.map((side) => side.turns);
  const ratio = (value: (turn: Turn) => number) => ours!.map((turn, i) => value(turn) / value(binding![i]!));
  console.log(
    `  ratio ${spread(
      ratio((turn) => turn.milliseconds),
      3,
    )}; of processor time ${spread(
      ratio((turn) => turn.cpu),
      3,
    )}`,
  );
  console.log(`  the same bits in every loss: ${sides[0]!.losses === sides[1]!.losses ? 'yes' : 'NO'}`);
}
