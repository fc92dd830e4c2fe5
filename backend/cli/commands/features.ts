/** `dmd features`: trains the small network whose features the Frechet distance on a data set is taken in. */
import { type Command, Option } from 'commander';
import { positiveInteger, threadsOption, wholeNumber } from '../arguments.ts';
import type { FeaturesOptions } from '../features/options.ts';
import { commonOptions, createOutput } from '../output.ts';

const notes = `
Without --data: the one of "scenes". With it, any data set with labels; the network then reads the classes of generated pictures,
too. The one that comes with the package as fashion-mnist was made so:

  dmd features --data /usr/share/datasets/fashion-mnist --name fashion-mnist --mirror --iterations 4500 \\
    --test /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz --threads 1`;

export function registerFeatures(program: Command): void {
  const command = commonOptions(program.command('features'))
    .description('train the small network whose features Frechet distances on a data set are taken in')
    .option('--out <file>', 'the file to write', 'features.safetensors')
    .option('--data <path>', 'a labelled data set: folder, .zip or IDX files (default: "scenes")')
    .option(
      '--test <path>',
      'labelled pictures it is tested on (default: every tenth one of the data, which is left out)',
    )
    .option('--name <name>', "what distances are named after (default: the data set's file name)")
    .option('--size <n>', 'pixels per side of what the network takes, a multiple of 8', positiveInteger, 32)
    .addOption(
      new Option('--fit <how>', 'how pictures of another size become those').choices(['pad', 'resize']).default('pad'),
    )
    .option('--mirror', 'learn from mirrored pictures as well')
    .option('--iterations <n>', 'updates', positiveInteger, 1500)
    .option('--batch <n>', 'pictures per update', positiveInteger, 64)
    .option('--seed <n>', 'seed of weights and data order', wholeNumber, 1)
    .addHelpText('after', notes)
    .action(features);
  threadsOption(command, 0);
}

async function features(options: FeaturesOptions): Promise<void> {
  const { featuresCommand } = await import('../features/features.ts');
  await featuresCommand(options, createOutput(options));
}
