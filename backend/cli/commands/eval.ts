/** `dmd eval`: the paper's table for the models given. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { deviceOptions, pathArgument, positiveInteger, promptColumnHelp, wholeNumber } from '../arguments.ts';
import type { EvalOptions } from '../eval/eval.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

const notes = `
Per model: network calls and milliseconds of one image, Frechet distance, precision and recall (k = 3), diversity, for "scenes" and where a
network of --features reads the classes the share of pictures that show what was asked for, with --clip the CLIP score. Without
--inception the features are those of a small network trained on one data set, "scenes" or that of --features, which compare
with nothing else; with it every distance names its kind, because the three kinds resize pictures differently. docs/measures.md
says how.

  dmd eval builtin:scenes/teacher builtin:scenes
  dmd eval runs/a/generator.safetensors --features fashion-mnist --reference t10k-images-idx3-ubyte.gz
  dmd eval network-snapshot.pkl runs/a/generator.safetensors --reference cifar10-32x32.npz \\
    --inception pt_inception-2015-12-05-6726825d.pth --resize edm --count 50000`;

export function registerEval(program: Command): void {
  const command = commonOptions(program.command('eval'))
    .description('the measures of the paper for the models given: calls, latency, distance, precision, recall, score')
    .argument(
      '<model...>',
      'model files, diffusers folders, or built-in models: builtin:scenes, builtin:scenes/teacher',
    )
    .option(
      '--reference <path>',
      'folder or zip of images, IDX file, or a .npz with mu and sigma (default: held-out "scenes")',
    )
    .option(
      '--captions <file>',
      "prompts for models that take them: a line each, COCO's captions_val2014.json, or JSON, CSV, TSV",
    )
    .option('--prompt-column <name>', promptColumnHelp)
    .option(
      '--features <name>',
      'the small network whose features are compared: scenes, fashion-mnist, or a file of dmd features',
      featuresOf,
      'scenes',
    )
    .option('--inception <file>', "pytorch-fid's pt_inception-2015-12-05-6726825d.pth: distances are FID then")
    .addOption(
      new Option('--resize <kind>', 'whose way to 299 pixels: statistics in a .npz must have been made the same way')
        .choices(['pytorch-fid', 'clean-fid', 'edm'])
        .default('pytorch-fid'),
    )
    .option(
      '--clip <folder>',
      'a CLIP folder of transformers (config.json, safetensors, vocabulary): adds the CLIP score',
    )
    .option('--count <n>', 'pictures per model, and at most as many reference images', positiveInteger, 2000)
    .option(
      '--steps <n>',
      "steps of a model's own sampler; 1 is a single call (default: 1 for a generator, the model's own for a teacher)",
      positiveInteger,
    )
    .addOption(
      new Option('--scheduler <name>', "of text-to-image teachers (default: the model's own)").choices(schedulers),
    )
    .option(
      '--guidance <scale>',
      'of text-to-image teachers; 1 is none (default: the one in its dmd.json, else 7.5)',
      scale,
    )
    .option('--seed <n>', 'seed of the first picture; the next ones follow', wholeNumber, 100_000)
    .addHelpText('after', notes)
    .action(evaluate);
  deviceOptions(command, 'auto');
}

/** A name, or a path as a person writes it. */
const featuresOf = (text: string) => pathArgument(text);

const schedulers = ['ddim', 'pndm', 'dpm', 'unipc', 'euler', 'lcm'];

function scale(text: string): number {
  if (text.trim() === '' || !Number.isFinite(Number(text))) throw new InvalidArgumentError('Expected a number.');
  return Number(text);
}

async function evaluate(models: string[], options: EvalOptions & CommonOptions): Promise<void> {
  const { evalCommand } = await import('../eval/eval.ts');
  await evalCommand(models, options, createOutput(options));
}
