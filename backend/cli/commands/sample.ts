/** `dmd sample`: pictures from a generator or a teacher, one per seed. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { deviceOptions, numberList, positiveInteger } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';
import type { SampleOptions } from '../sample/sample.ts';

const notes = `
A generator makes a picture in one call, a teacher in 18 steps of EDM's Heun sampler (35 calls) unless --steps says
otherwise. Noise and classes are those that EDM's generate.py draws for the same seeds.

  dmd sample builtin:scenes --seeds 0-15
  dmd sample builtin:scenes/teacher --seeds 0-15 --class 3 --steps 40
  dmd sample network-snapshot.pkl --sampler ablation --with solver=euler --with discretization=vp --steps 256`;

export function registerSample(program: Command): void {
  const command = commonOptions(program.command('sample'))
    .description('make pictures with a generator (one call) or a teacher (a sampler)')
    .argument('[model]', 'a model file, builtin:scenes (the generator) or builtin:scenes/teacher', 'builtin:scenes')
    .addOption(
      new Option('--seeds <list>', 'one picture per seed, e.g. 0-15 or 1,5,9')
        .argParser(numberList)
        .default(numberList('0-15'), '0-15'),
    )
    .option('--class <list>', 'classes, repeated over the seeds (default: drawn from the seed)', numberList)
    .option('--steps <n>', 'steps; 1 is a single call (default: 1 for a generator, 18 for a teacher)', positiveInteger)
    .option('--sampler <name>', "edm (Heun's method) or ablation (any published schedule)", samplerName, 'edm')
    .option('--with <key=value>', "an option of the sampler under EDM's name, e.g. S_churn=40; may be repeated", pair)
    .option('--batch <n>', 'pictures per network call', positiveInteger, 16)
    .option('--out <dir>', 'folder for the pictures and grid.png', 'samples')
    .option('--columns <n>', 'pictures per row of the grid (default: as square as it gets)', positiveInteger)
    .addHelpText('after', notes)
    .action(sample);
  deviceOptions(command, 'auto');
}

async function sample(model: string, options: SampleOptions & CommonOptions): Promise<void> {
  const { sampleCommand } = await import('../sample/sample.ts');
  await sampleCommand(model, options, createOutput(options));
}

function samplerName(text: string): string {
  if (text !== 'edm' && text !== 'ablation') throw new InvalidArgumentError('Expected edm or ablation.');
  return text;
}

/** 'S_churn=40' as a number where it is one. */
function pair(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  const value = text.slice(at + 1);
  const isNumber = value.trim() !== '' && !Number.isNaN(Number(value));
  return { ...before, [text.slice(0, at)]: isNumber ? Number(value) : value };
}
