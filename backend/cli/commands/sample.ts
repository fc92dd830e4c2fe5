/** `dmd sample`: pictures from a generator or a teacher, one per seed. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { deviceOptions, imageSize, numberList, positiveInteger, seedList, wholeNumber } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';
import type { SampleOptions } from '../sample/sample.ts';

const notes = `
A generator makes a picture in one call, a teacher in 18 steps of EDM's Heun sampler (35 calls) unless --steps says
otherwise. Noise and classes are those that EDM's generate.py draws for the same seeds.

  dmd sample builtin:scenes --seeds 0-15
  dmd sample builtin:scenes/teacher --seeds 0-15 --class 3 --steps 40
  dmd sample network-snapshot.pkl --sampler ablation --with solver=euler --with discretization=vp --steps 256

A text-to-image model is a diffusers folder and takes a prompt. A teacher makes 50 steps of its own scheduler at guidance
7.5 unless the folder or the options say otherwise; noise is that of torch.manual_seed. It draws one picture, of seed 0,
unless --seeds names others.

  dmd sample stable-diffusion-v1-5 --prompt "a lighthouse in a storm" --scheduler dpm --steps 20 --seeds 0-3
  dmd sample sd-turbo --prompt "a lighthouse in a storm" --decoder taesd
  dmd sample sd-turbo --prompt "a lighthouse in a storm" --device openvino`;

export function registerSample(program: Command): void {
  const command = commonOptions(program.command('sample'))
    .description('make pictures with a generator (one call) or a teacher (a sampler)')
    .argument(
      '[model]',
      'a model file or folder, builtin:scenes (the generator) or builtin:scenes/teacher',
      'builtin:scenes',
    )
    .addOption(
      new Option('--seeds <list>', 'one picture per seed, e.g. 0-15 or 1,-5,9; any that torch.manual_seed takes')
        .argParser(seedList)
        .default(seedList('0-15'), '0-15'),
    )
    .option('--class <list>', 'classes, repeated over the seeds (default: drawn from the seed)', numberList)
    .option('--steps <n>', 'steps; 1 is a single call (default: 1 for a generator, 18 for a teacher)', positiveInteger)
    .option('--sampler <name>', "edm (Heun's method) or ablation (any published schedule)", samplerName, 'edm')
    .option('--with <key=value>', "an option of the sampler under EDM's name, e.g. S_churn=40; may be repeated", pair)
    .option('--prompt <text>', 'what a text-to-image model is to show')
    .option('--negative <text>', 'what guidance leads away from')
    .option('--guidance <scale>', 'scale of classifier-free guidance; 1 is none', guidanceScale)
    .option('--scheduler <name>', "ddim, pndm, dpm, unipc, euler or lcm (default: the text-to-image model's own)")
    .option('--eta <share>', "share of DDPM's noise that ddim adds back, 0 to 1 (default: 0)", share)
    .option('--clip-skip <n>', 'last layers of the text encoder to leave out, as diffusers counts them', wholeNumber)
    .option('--variant <name>', 'weights of a model folder under that name, e.g. fp16 or non_ema, where it has them')
    .option('--size <height>x<width>', 'in pixels (default: what the text-to-image model was trained on)', imageSize)
    .option('--decoder <folder>', "autoencoder in place of the text-to-image model's own, e.g. a download of taesd")
    .option('--key <name>', 'which of several sets of weights in a model file, e.g. net (default: the average)')
    .option('--low-memory', 'keep weights of text-to-image models in memory once; somewhat slower')
    .option('--batch <n>', 'pictures per network call', positiveInteger, 16)
    .option('--out <dir>', 'folder for the pictures and grid.png', 'samples')
    .option('--columns <n>', 'pictures per row of the grid (default: as square as it gets)', positiveInteger)
    .addHelpText('after', notes)
    .action(sample);
  deviceOptions(command, 'auto');
}

async function sample(model: string, options: SampleOptions & CommonOptions, command: Command): Promise<void> {
  const { sampleCommand } = await import('../sample/sample.ts');
  const defaultSeeds = command.getOptionValueSource('seeds') === 'default';
  await sampleCommand(model, { ...options, defaultSeeds }, createOutput(options));
}

function samplerName(text: string): string {
  if (text !== 'edm' && text !== 'ablation') throw new InvalidArgumentError('Expected edm or ablation.');
  return text;
}

function guidanceScale(text: string): number {
  const scale = Number(text);
  if (text.trim() === '' || !(scale >= 0 && scale <= 1000))
    throw new InvalidArgumentError('Expected a number from 0 on.');
  return scale;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return value;
}

/** 'S_churn=40' as a number where it is one. */
function pair(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  const value = text.slice(at + 1);
  const isNumber = value.trim() !== '' && !Number.isNaN(Number(value));
  return { ...before, [text.slice(0, at)]: isNumber ? Number(value) : value };
}
