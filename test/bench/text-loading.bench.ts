/**
 * Loading a text-to-image model of Stable Diffusion 1.5's size: a folder of safetensors with made-up weights is written
 * (4.3 GB for float32, in the system's temporary folder, deleted afterwards) and opened in processes of their own, which
 * report time and peak memory up to the point where the first picture could begin. Beside it, the time to read the files.
 *
 *     npm run bench -- text-loading                        both ways, float32
 *     npm run bench -- text-loading --half=1               from float16 files
 *     npm run bench -- text-loading --draw=64              and then draws a picture of this size in one step
 *
 * What a model must cost is reading its files and compiling its programs; the ratio says how much more it is (at most 1.2 wanted).
 * The memory for its weights costs, too, when it is written for the first time: that is measured alone, in a process of its own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../backend/engine/engine.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { numberOption } from './lib/options.ts';
import { writeSd15 } from './lib/sd15-folder.ts';

const draw = numberOption('draw', 0);
const role = process.argv.find((word) => word.startsWith('--child='))?.slice('--child='.length);
if (role) await child(role);
else await parent();

async function parent(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dmd-loading-'));
  try {
    const bytes = await writeSd15(folder, numberOption('half', 0) === 1);
    const weights = 4 * bytes.parameters;
    const read = await readAll(folder);
    const memory = Number(spawned(`memory:${weights}`));
    console.log(
      `  ${(weights / 1e9).toFixed(2)} GB of float32 weights; reading the files alone ${read.toFixed(1)} s, writing as much new memory alone ${memory.toFixed(1)} s`,
    );
    for (const way of ['default', 'low-memory']) {
      const { seconds, compiling, peak, drawn } = JSON.parse(spawned(`${way}:${folder}`)) as Report;
      const least = (seconds / (read + compiling)).toFixed(2);
      const withMemory = (seconds / (read + memory + compiling)).toFixed(2);
      const share = (peak / weights).toFixed(2);
      const picture = drawn === null ? '' : `; with a picture ${(drawn / weights).toFixed(2)}`;
      console.log(
        `  ${way}: ready in ${seconds.toFixed(1)} s, ${least} of reading and compiling (${compiling.toFixed(1)} s), ${withMemory} with new memory, peak ${(peak / 1e9).toFixed(2)} GB = ${share} x${picture}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a process of this file prints. */
function spawned(argument: string): string {
  const file = fileURLToPath(import.meta.url);
  const loader = ['--import', fileURLToPath(new URL('../sources.mjs', import.meta.url))];
  const rest = draw > 0 ? [`--draw=${draw}`] : [];
  const result = spawnSync(process.execPath, [...loader, file, `--child=${argument}`, ...rest], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  });
  assert.equal(result.status, 0, `${argument}: exit ${result.status} ${result.signal ?? ''}`);
  return result.stdout;
}

/** Seconds to write so many bytes of memory that the process did not have. */
function newMemory(bytes: number): number {
  const kept: Float32Array[] = [];
  const began = performance.now();
  for (let left = bytes; left > 0; left -= 2 ** 26) kept.push(new Float32Array(2 ** 24).fill(kept.length + 1));
  return (performance.now() - began) / 1000;
}

interface Report {
  readonly seconds: number;
  /** Of these, within the engine's compiler. */
  readonly compiling: number;
  /** Bytes. */
  readonly peak: number;
  readonly drawn: number | null;
}

async function child(argument: string): Promise<void> {
  const at = argument.indexOf(':');
  if (argument.startsWith('memory:')) {
    process.stdout.write(String(newMemory(Number(argument.slice(at + 1)))));
    return;
  }
  const began = performance.now();
  let compiling = 0;
  const inner = await openDevice('cpu', 2);
  const engine = timedCompile(inner, (ms) => {
    compiling += ms / 1000;
  });
  const lowMemory = argument.slice(0, at) === 'low-memory';
  const pipeline = TextPipeline.open(argument.slice(at + 1), { engine, lowMemory });
  await pipeline.warmUp({ seeds: [0], ...(draw > 0 ? { size: [draw, draw] } : {}) });
  const seconds = (performance.now() - began) / 1000;
  const peak = peakMemory();
  if (draw > 0) await pipeline.draw({ prompt: 'a cat', seeds: [0], size: [draw, draw] });
  process.stdout.write(
    JSON.stringify({ seconds, compiling, peak, drawn: draw > 0 ? peakMemory() : null } satisfies Report),
  );
  process.exit(0);
}

function timedCompile(inner: Engine, add: (ms: number) => void): Engine {
  return {
    device: inner.device,
    crossings: inner.crossings,
    capabilities: () => inner.capabilities(),
    upload: (value) => inner.upload(value),
    receive: (shape, slices) => inner.receive(shape, slices),
    dispose: () => inner.dispose(),
    async compile(graph, options) {
      const began = performance.now();
      const program = await inner.compile(graph, options);
      add(performance.now() - began);
      return program;
    },
  };
}

/** The most that this process has ever had in memory, in bytes; Linux. */
function peakMemory(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line![1]) * 1024;
}

/** Seconds that it takes to read every weights file. */
async function readAll(folder: string): Promise<number> {
  const began = performance.now();
  for (const part of ['unet', 'vae', 'text_encoder']) {
    for (const name of readdirSync(join(folder, part)).filter((file) => file.endsWith('.safetensors'))) {
      for await (const piece of createReadStream(join(folder, part, name), { highWaterMark: 2 ** 22 })) void piece;
    }
  }
  return (performance.now() - began) / 1000;
}
