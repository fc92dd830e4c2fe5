/**
 * A row of the table as this project does it, in a process of its own: `ours.ts ROW FOLDER --threads=N [--device=NAME]`, or `--prepare` to write
 * what both sides read. Says one line of JSON when it is ready, and one for each line that it reads: `go`, `answers`, `end`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { type DeviceName, openDevice } from '../../../backend/engine/open.ts';
import { writeSafetensors } from '../../../backend/weights/safetensors.ts';
import { numberOption, textOption } from '../lib/options.ts';
import { countingFlops } from './flops.ts';
import { rowOf } from './rows.ts';

const [id = '', folder = ''] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const { workload } = rowOf(id);
if (process.argv.includes('--prepare')) await workload.prepare(folder);
else await answer();

async function answer(): Promise<void> {
  const threads = numberOption('threads', 1);
  const { engine, flops } = countingFlops(await openDevice((textOption('device') ?? 'cpu') as DeviceName, threads));
  let began = performance.now();
  const begin = () => {
    began = performance.now();
  };
  const ready = await workload.ready({ engine, threads, folder, begin });
  // What the case began with a peer in Python has let go of by now.
  await setImmediate();
  globalThis.gc?.();
  say({ ready: performance.now() - began, engine: engine.device });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'go') say(await timed(() => ready.turn(), flops));
    else if (line === 'answers') {
      await writeSafetensors(path.join(folder, 'ours.safetensors'), await ready.answers(), { metadata: {} });
      say({});
    } else break;
  }
  say({ peak: peakMemory() });
  await ready.dispose();
  await engine.dispose();
}

async function timed(turn: () => Promise<void>, flops: () => number) {
  const counted = flops();
  const before = process.cpuUsage();
  const start = performance.now();
  await turn();
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { milliseconds, cpu: (user + system) / 1000, flops: flops() - counted };
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** The most that this process has ever had in memory, in bytes; null where Linux does not say so. */
function peakMemory(): number | null {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    return line ? Number(line[1]) * 1024 : null;
  } catch {
    return null;
  }
}
