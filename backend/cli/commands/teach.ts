/** `dmd teach`: a teacher from scratch, of EDM's kind or a text-to-image model's parts. */
import type { Command } from 'commander';
import { createOutput } from '../output.ts';
import { trainNotes, trainOptions } from '../train/options.ts';
import type { TrainOptions } from '../train/train.ts';

interface TeachOptions extends TrainOptions {
  readonly data?: string;
}

const notes = `
Without a config: the preset scenes, which the built-in teacher was made with.
  dmd teach --data scenes --iterations 2000
  dmd teach my.dmd.json --data images.zip
  dmd teach --preset fashion-mnist --data folder-with-the-four-IDX-files
dmd data pack makes images.zip of a folder of pictures; docs/your-own-data.md has the whole way.
A text-to-image model is taught in several runs, first its autoencoder; docs/training.md has all of them:
  dmd teach --preset scenes-text-vae
  dmd teach --preset scenes-text-first --set vae=runs/DATE-scenes-text-vae/vae`;

export function registerTeach(program: Command): void {
  trainOptions(program.command('teach'), [
    ...['scenes', 'fashion-mnist', 'own-pictures'],
    ...['scenes-text-vae', 'scenes-text-vae-decoder', 'scenes-text-encoder', 'scenes-text-first'],
    ...[
      'scenes-text-places',
      'scenes-text-shapes',
      'scenes-text-first-round',
      'scenes-text-shapes-again',
      'scenes-text',
    ],
  ])
    .description("train a diffusion model from scratch: with EDM's loss, or a text-to-image model and its parts")
    .option('--data <source>', "scenes, a folder or .zip in EDM's layout, or IDX files")
    .addHelpText('after', notes + trainNotes)
    .action(teach);
}

async function teach(file: string | undefined, options: TeachOptions): Promise<void> {
  const { assignmentsOf, train } = await import('../train/train.ts');
  const { presetConfig } = await import('../../runs/presets.ts');
  const assignments = assignmentsOf({ 'data.source': options.data });
  const defaults = () => presetConfig('teach', 'scenes', process.cwd());
  process.exitCode = await train({ kind: 'teach', defaults, assignments }, file, options, createOutput(options));
}
