/** `dmd export`: a model as ONNX files that any ONNX program can run. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { imageSize, positiveInteger, wholeNumber } from '../arguments.ts';
import type { ExportOptions } from '../export/export.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

const notes = `
A generator takes z [B, C, H, W], standard normal, and gives image [B, C, H, W] in -1..1. A teacher takes x [B, C, H, W]
and sigma [B] and gives denoised. Networks with classes also take labels [B, classes], one-hot.

A text-to-image model becomes a folder in Optimum's layout: text_encoder, unet and vae_decoder, a model.onnx each, float32,
with the tokenizer, the scheduler and all configurations; it needs no base. Its unet takes twice --batch rows where the
model is made for guidance (the negative prompt's first). Programs that feed other numbers of rows than are in the files
cannot run it; dmd sample calls the networks as often as it takes. Weights above 1.5 GB are in model.onnx_data beside the
model.onnx. An earlier export in the same place is replaced, any other folder that is not empty is left alone.

  dmd export builtin:scenes
  dmd export runs/scenes-text/generator --out scenes-onnx
  dmd export stable-diffusion-v1-5 --size 512x768 --out sd-onnx

Of a run folder it is the generator of a checkpoint, by the average that is named; record.quality measures which was best.

  dmd export runs/a --ema 0.999 --step 1200
  dmd export runs/a --ema 0.999 --format model --out best.safetensors

What was written is run on its own and its pixels are compared with the model's; it exits 1 when they differ. A folder is
not put in its place then, nor when the export is stopped.`;

export function registerExport(program: Command): void {
  commonOptions(program.command('export'))
    .description('write a network, a generator or a text-to-image model as ONNX')
    .argument(
      '[model]',
      'a model file or folder, a run folder, builtin:scenes (the generator) or builtin:scenes/teacher',
      'builtin:scenes',
    )
    .option('--out <path>', "the file or folder to write (default: the model's name with .onnx or -onnx)")
    .option('--batch <n>', 'images per call, fixed in the files', positiveInteger, 1)
    .option(
      '--size <height>x<width>',
      'in pixels, fixed in the files (default: what a text model was trained on)',
      imageSize,
    )
    .option('--step <n>', 'of a run folder: the checkpoint of that step (default: the newest)', wholeNumber)
    .option(
      '--ema <decay>',
      'of a run folder: that average of its weights (default: the first of generator.ema)',
      decay,
    )
    .addOption(
      new Option('--format <kind>', 'of a run folder: onnx, or a model as dmd distill writes it').choices([
        'onnx',
        'model',
      ]),
    )
    .option('--half', 'float16 weights, of such a model')
    .addHelpText('after', notes)
    .action(exportModel);
}

function decay(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('Expected a number from 0 to below 1.');
  return value;
}

async function exportModel(model: string, options: ExportOptions & CommonOptions): Promise<void> {
  const { exportCommand } = await import('../export/export.ts');
  process.exitCode = await exportCommand(model, options, createOutput(options));
}
