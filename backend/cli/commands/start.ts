/** `dmd start`: the main job on the built-in model, start to end, in a few minutes. What `npm start` runs. */
import type { Command } from 'commander';
import { deviceOptions, positiveInteger } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

interface StartOptions extends CommonOptions {
  readonly seconds: number;
  readonly count: number;
  readonly pairs: number;
  readonly device: string;
  readonly threads: number;
  readonly out: string;
}

export function registerStart(program: Command): void {
  const command = commonOptions(program.command('start'))
    .description('distill the built-in teacher for a minute and compare its pictures with one-step ones')
    .option('--seconds <n>', 'how long to distill', positiveInteger, 70)
    .option('--count <n>', 'pictures per Frechet distance', positiveInteger, 2000)
    .option('--pairs <n>', 'noise-image pairs to make for the regression loss', positiveInteger, 128)
    .option('--out <dir>', 'where the run folder is created', 'runs')
    .action(async ({ ...options }: StartOptions) => {
      const { startJob } = await import('../start/job.ts');
      await startJob(options, createOutput(options));
    });
  deviceOptions(command, 'auto');
}
