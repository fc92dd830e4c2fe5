/** One side of a row: a process that is made ready, does turns when it is asked, and tells its memory at the end. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../../backend/files/package.ts';
import { loadWeights } from '../../../backend/weights/load.ts';
import { LineProcess } from '../lib/torch.ts';
import { run } from './process.ts';

export interface Turn {
  readonly milliseconds: number;
  /** Processor time of all threads. */
  readonly cpu: number;
  /** Of the turn's products; only this project counts them. */
  readonly flops?: number;
}

export interface Contender {
  /** `this project`, `PyTorch`, `OpenVINO`, `machine`. */
  readonly who: string;
  /** How it was run, e.g. `channels_last, 2.13.0`. */
  readonly engine: string;
  /** Milliseconds of loading and compiling up to the end of the first turn. */
  readonly firstResult: number;
  readonly first: Turn;
  turn(): Promise<Turn>;
  /** What its first turn computed. */
  answers(): Promise<ReadonlyMap<string, Float32Array>>;
  /** Ends it. Bytes that it had at most; null where that is not known. */
  end(): Promise<number | null>;
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** `ours.ts` in one script, as `npm run bench` has made it. */
const ours = path.join(packageRoot(), 'node_modules/.cache/dmd-bench/ours.js');

/** Writes what both sides read. */
export function prepareRow(id: string, folder: string): void {
  run(process.execPath, [ours, id, folder, '--prepare']);
}

export interface OursOptions {
  readonly id: string;
  readonly folder: string;
  readonly threads: number;
  readonly who?: string;
  readonly device?: string;
}

export function openOurs({
  id,
  folder,
  threads,
  who = 'this project',
  device = 'cpu',
}: OursOptions): Promise<Contender> {
  const args = ['--expose-gc', ours, id, folder, `--threads=${threads}`, `--device=${device}`];
  return open(who, process.execPath, args, path.join(folder, 'ours.safetensors'));
}

export interface PeerOptions {
  readonly python: string;
  readonly way: string;
  readonly folder: string;
  readonly threads: number;
  /** PyTorch's name of it. */
  readonly device?: 'cpu' | 'cuda';
}

export function openPeer(
  who: string,
  { python, way, folder, threads, device = 'cpu' }: PeerOptions,
): Promise<Contender> {
  const args = [here('peers.py'), folder, `--way=${way}`, `--threads=${threads}`, `--device=${device}`];
  return open(who, python, args, path.join(folder, `${way}.safetensors`));
}

async function open(who: string, command: string, args: readonly string[], answers: string): Promise<Contender> {
  const child = new LineProcess(command, args);
  try {
    const { ready, engine } = (await child.next()) as { ready: number; engine: string };
    const first = (await child.ask()) as Turn;
    return {
      ...{ who, engine, first, firstResult: ready + first.milliseconds },
      turn: async () => (await child.ask()) as Turn,
      async answers() {
        await child.ask('answers');
        const { tensors } = await loadWeights(answers);
        return new Map(Array.from(tensors, ([name, { data }]) => [name, data]));
      },
      async end() {
        const { peak } = (await child.ask('end')) as { peak: number | null };
        child.close();
        return peak;
      },
    };
  } catch (error) {
    child.close();
    throw error;
  }
}
