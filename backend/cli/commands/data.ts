/** `dmd data`: a person's own pictures as a data set. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { exitCodes } from '../../protocol/errors.ts';
import { positiveInteger } from '../arguments.ts';
import type { DataPackOptions } from '../data/pack.ts';
import { commonOptions, createOutput } from '../output.ts';

const notes = `
FOLDER holds a folder for each class, or pictures side by side. Photographs are turned the way the camera was held. The order of
the folders' names numbers the classes. OUT is a zip as EDM lays it out: PNG images and dataset.json.

  dmd data pack shoes shoes.zip --size 32
  dmd teach --preset own-pictures --data shoes.zip --set network.label_dim=3

docs/your-own-data.md goes on from there.`;

export function registerData(program: Command): void {
  const data = program.command('data').description("a person's own pictures as a data set").allowExcessArguments(false);
  data.action(() => {
    data.outputHelp();
    process.exitCode = exitCodes.usage;
  });
  commonOptions(data.command('pack'))
    .description('make a data set of a folder of JPEG and PNG pictures of any size')
    .argument('<folder>', 'the folder of pictures')
    .argument('<out>', 'the .zip to write')
    .option('--size <n>', 'pixels per side, a multiple of 4', side, 32)
    .addOption(new Option('--crop', 'keep the middle of what is not square (the default)').conflicts('pad'))
    .option('--pad', 'keep all of it, with bars')
    .option('--gray', 'make them gray')
    .addOption(
      new Option('--ground <shade>', 'what is behind transparent pixels, and in bars')
        .choices(['black', 'white'])
        .default('black'),
    )
    .option('--skip-broken', 'leave out what cannot be read, instead of writing nothing')
    .option('--replace', 'take the place of a file that is there')
    .addHelpText('after', notes)
    .action(async (folder: string, out: string, options: DataPackOptions) => {
      const { dataPack } = await import('../data/pack.ts');
      await dataPack(folder, out, options, createOutput(options));
    });
}

function side(text: string): number {
  const value = positiveInteger(text);
  if (value % 4 !== 0 || value > 1024) throw new InvalidArgumentError('Expected a multiple of 4, at most 1024.');
  return value;
}
