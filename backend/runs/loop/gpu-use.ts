/**
 * How busy the graphics cards are, as NVIDIA's own tool says once a second. Where it is missing or says nothing useful there
 * are no such curves; a run never waits for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Scalars } from '../../training/trainer.ts';

const query = ['--query-gpu=index,utilization.gpu,memory.used', '--format=csv,noheader,nounits', '--loop=1'];

export class GpuUse {
  readonly #child: ChildProcess;
  readonly #latest = new Map<number, { readonly percent: number; readonly megabytes: number }>();

  /** @param command the tool; another one in tests */
  constructor(command = 'nvidia-smi', args: readonly string[] = query) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true });
    this.#child.on('error', () => {}); // there is no such tool here
    this.#child.unref();
    const lines = createInterface({ input: this.#child.stdout! });
    lines.on('line', (line) => this.#read(line));
  }

  /** The latest reading of every card; nothing before the first. */
  scalars(): Scalars {
    const entries = [...this.#latest].flatMap(([card, { percent, megabytes }]) => [
      [`speed/gpu ${card} %`, percent] as const,
      [`memory/gpu ${card} MB`, megabytes] as const,
    ]);
    return Object.fromEntries(entries);
  }

  dispose(): void {
    this.#child.kill();
    this.#latest.clear();
  }

  /** `index, percent, MiB`; a card that does not tell says [N/A], and is left out. */
  #read(line: string): void {
    const [card, percent, mebibytes] = line.split(',').map((part) => Number.parseFloat(part)) as [
      number,
      number,
      number,
    ];
    if (![card, percent, mebibytes].every((number) => number >= 0)) return;
    this.#latest.set(card, { percent, megabytes: (mebibytes * 2 ** 20) / 1e6 });
  }
}
