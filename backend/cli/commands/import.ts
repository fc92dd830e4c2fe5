/** `dmd import`: a one-step text-to-image model from a base folder and a bare UNet file. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type OneStepPrediction, oneStepPredictions } from '../../protocol/one-step.ts';
import { wholeNumber } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

interface ImportOptions extends CommonOptions {
  readonly out: string;
  readonly key?: string;
  readonly timestep?: number;
  readonly prediction?: OneStepPrediction;
  readonly half?: boolean;
}

const notes = `
The published one-step generators of Stable Diffusion 1.5 are bare state dicts of its UNet beside the unchanged rest of the
model: name the folder of that model, in the layout of diffusers, and the file. The new folder holds the UNet and the
name of the base. Models that are diffusers folders of their own (SD-Turbo, InstaFlow) need no import.

  dmd import stable-diffusion-v1-5 pytorch_model.bin --out dmd2-sd15
  dmd sample dmd2-sd15 --prompt "a lighthouse in a storm"`;

export function registerImport(program: Command): void {
  commonOptions(program.command('import'))
    .description('make a one-step text-to-image model of a base folder and a UNet file')
    .argument('<base>', 'a diffusers folder: the model that the generator was distilled from')
    .argument('<unet>', 'the weights of its UNet: .safetensors, .bin, .pth or .pt')
    .requiredOption('--out <dir>', 'the folder to make')
    .option('--timestep <n>', 'timestep the generator is called at (default: the last one)', wholeNumber)
    .addOption(
      new Option(
        '--prediction <kind>',
        `what it predicts: ${oneStepPredictions.join(', ')} (default: as the base)`,
      ).argParser(predictionKind),
    )
    .option('--key <name>', 'which of several sets of weights in the file, e.g. generator (default: its average)')
    .option('--half', 'store the weights as float16')
    .addHelpText('after', notes)
    .action(importModel);
}

async function importModel(base: string, unet: string, options: ImportOptions): Promise<void> {
  const output = createOutput(options);
  const { importUNet } = await import('../../models/text/import-unet.ts');
  const { out, key, timestep, prediction, half = false } = options;
  const imported = await importUNet({
    ...{ base, file: unet, out, half },
    ...(key === undefined ? {} : { key }),
    ...(timestep === undefined ? {} : { timestep }),
    ...(prediction === undefined ? {} : { prediction }),
  });
  const millions = (imported.parameters / 1e6).toFixed(1);
  output.line(
    `${out}: a generator of ${millions} million parameters, ${imported.prediction} at timestep ${imported.timestep}`,
  );
  for (const warning of imported.warnings) output.line(warning);
  const { key: taken, others } = imported;
  if (taken !== '' || others.length > 0) {
    const { takenSet } = await import('../../weights/weight-sets.ts');
    const choose = others.length > 0 ? '; --key chooses' : '';
    output.line(`its weights are those under ${takenSet(taken, others)} in ${unet}${choose}`);
  }
  output.event('imported', { ...imported });
}

function predictionKind(text: string): OneStepPrediction {
  const known = oneStepPredictions.find((prediction) => prediction === text);
  if (!known) throw new InvalidArgumentError(`Expected one of ${oneStepPredictions.join(', ')}.`);
  return known;
}
