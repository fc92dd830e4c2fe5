/** Builds the stand-in (standin.c) as a folder of CUDA's libraries and has the process use it. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadKoffi } from '../../../backend/native/koffi.ts';

const runtime = createRequire(import.meta.url).resolve('onnxruntime-node');
const truth = join(dirname(runtime), '..', 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime.so.1');

/** Why it cannot be built here; '' where it was. */
export function useStandIn(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'CUDA is reached through the C API on Linux x64';
  const folder = mkdtempSync(join(tmpdir(), 'dmd-cuda-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'libonnxruntime.so.1');
  const source = fileURLToPath(new URL('./standin.c', import.meta.url));
  const built = spawnSync('cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-Wall',
    '-Werror',
    '-Wl,-Bsymbolic',
    '-o',
    library,
    source,
    '-ldl',
    '-lpthread',
  ]);
  if (built.error) return `there is no C compiler (${built.error.message})`;
  if (built.status !== 0) throw new Error(`the stand-in does not compile: ${built.stderr}`);
  for (const name of ['libcuda.so.1', 'libonnxruntime_providers_cuda.so']) copyFileSync(library, join(folder, name));
  Object.assign(process.env, { DMD_CUDA: folder, STANDIN_TRUTH: truth });
  return '';
}

export interface Counts {
  readonly toDevice: readonly [copies: number, bytes: number];
  readonly toHost: readonly [copies: number, bytes: number];
  readonly runs: number;
  /** Bytes on the card. */
  readonly held: number;
}

/** What the stand-in has counted since it was asked last. */
export function standInCounts(): () => Counts {
  const koffi = loadKoffi();
  const library = koffi.load(join(process.env.DMD_CUDA!, 'libonnxruntime.so.1'));
  const counts = library.symbol('standin_counts', 'uint64_t [6]');
  let before = [0, 0, 0, 0, 0];
  return () => {
    const now = Array.from(koffi.decode(counts, 'uint64_t [6]') as ArrayLike<bigint | number>, Number);
    const [copiesIn, bytesIn, copiesOut, bytesOut, runs] = before.map((count, i) => now[i]! - count);
    before = now.slice(0, 5);
    return { toDevice: [copiesIn!, bytesIn!], toHost: [copiesOut!, bytesOut!], runs: runs!, held: now[5]! };
  };
}

/** Sets one of the stand-in's own numbers. */
export function setStandIn(name: 'standin_limit' | 'standin_lost_at', value: number): void {
  const koffi = loadKoffi();
  const library = koffi.load(join(process.env.DMD_CUDA!, 'libonnxruntime.so.1'));
  koffi.encode(library.symbol(name, 'uint64_t'), 'uint64_t', value);
}
