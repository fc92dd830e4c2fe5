/** `dmd pairs`: noise and the images a teacher's deterministic sampler makes of it, for the regression loss. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import type { Ranks } from '../../ranks/ranks.ts';
import { deviceOptions, positiveInteger, promptColumnHelp, wholeNumber } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

interface PairsOptions extends CommonOptions {
  readonly out: string;
  readonly count: number;
  readonly steps?: number;
  readonly seed: number;
  readonly sigma?: number;
  readonly labels: 'uniform' | 'none';
  readonly prompts?: string;
  readonly promptColumn?: string;
  readonly guidance: number;
  readonly device: string;
  readonly threads: number;
}

const notes = `
Stopped or killed, it goes on where it was when called again. --count may be raised later: full files (256 pairs) stay.
A folder that holds other pairs, or more of them, is refused and left as it is.
For class-conditional CIFAR-10 the paper makes 100000 pairs with 18 steps; for Stable Diffusion 500000 by PNDM, with 50 steps at
guidance 3: dmd pairs stable-diffusion-v1-5 --prompts prompts.txt --count 500000`;

export function registerPairs(program: Command): void {
  const command = commonOptions(program.command('pairs'))
    .description("make noise-image pairs with a teacher's deterministic sampler")
    .argument(
      '[teacher]',
      'a model file, e.g. EDM network-snapshot .pkl, a diffusers folder, or builtin:scenes/teacher',
      'builtin:scenes/teacher',
    )
    .option('--out <dir>', 'folder the pairs are written to', 'pairs')
    .option('--count <n>', 'pairs in all', positiveInteger, 2000)
    .option(
      '--steps <n>',
      "steps of EDM's Heun sampler (default: 18), or of PNDM with prompts (default: 50)",
      positiveInteger,
    )
    .option('--seed <n>', 'seed of noise and classes', wholeNumber, 0)
    .option('--sigma <level>', 'noise level to start from (default: the one the generator is called at, 80)', level)
    .option('--labels <choice>', 'uniform: every class equally often; none: no class', labelChoice, 'uniform')
    .option('--prompts <file>', 'for a text model: a text file with one prompt per line, JSON, CSV, TSV, or scenes')
    .option('--prompt-column <name>', promptColumnHelp)
    .option('--guidance <scale>', 'for a text model: scale of classifier-free guidance, 1 none', level, 3)
    .addHelpText('after', notes)
    .action(pairs);
  deviceOptions(command, 'auto');
}

async function pairs(name: string, options: PairsOptions): Promise<void> {
  const { asRank } = await import('../ranks.ts');
  await asRank((ranks) => makePairs(name, options, ranks));
}

async function makePairs(name: string, options: PairsOptions, ranks: Ranks): Promise<void> {
  const output = createOutput(options);
  const { out, count, seed, labels, prompts, promptColumn, guidance, sigma } = options;
  const { makeFolder } = await import('../../files/folders.ts');
  const { acquireLock } = await import('../../runs/folder/lock.ts');
  const { createProgress, progressMode } = await import('../progress.ts');
  const { checkSameWork } = await import('../../data/pairs.ts');
  const { openPairsJob } = await import('../train/pairs-job.ts');
  const { interruptible } = await import('../interrupt.ts');
  const { isTextTeacher } = await import('../../models/text/text-teacher.ts');
  const { greetRanks, openShared, requireWork } = await import('../ranks.ts');

  const steps = options.steps ?? (isTextTeacher(name) ? 50 : 18);
  const job = await openPairsJob({ teacher: name, prompts, promptColumn, guidance, labels, sigma, steps, count, seed });
  const { texts: _, config, ...work } = job.work;
  await greetRanks(ranks, { ...config, ...work });
  requireWork(ranks, count, 'pairs');
  if (ranks.rank > 0) {
    const engine = await openShared(options, ranks);
    try {
      return await job.help({ engine, ranks, onProgress() {}, signal: new AbortController().signal });
    } finally {
      await engine.dispose();
    }
  }
  await checkSameWork(out, job.work);
  makeFolder(out);
  const lock = acquireLock(out);
  let engine: Engine | undefined;
  let made = 0;
  const progress = createProgress(progressMode(output.json), 'pairs', count, { unit: 'pairs' });
  try {
    const opened = await openShared(options, ranks);
    engine = opened;
    const onProgress = (done: number) => progress.update(done);
    made = await interruptible(
      async (signal) => (await job.make(out, { engine: opened, ranks, onProgress, signal })).made,
    );
  } finally {
    progress.end();
    await engine?.dispose();
    lock.release();
  }
  output.line(made === 0 ? `${out} is complete: its ${count} pairs were there already` : `${count} pairs in ${out}`);
  output.event('pairs', { folder: out, count, steps, seed, made });
}

function labelChoice(text: string): string {
  if (text !== 'uniform' && text !== 'none') throw new InvalidArgumentError('Expected uniform or none.');
  return text;
}

function level(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return Number(text);
}
