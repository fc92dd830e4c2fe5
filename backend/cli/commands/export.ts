/** `dmd export`: a model as ONNX files that any ONNX program can run. */
import type { Command } from 'commander';
import { imageSize, positiveInteger } from '../arguments.ts';
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

What was written is run on its own and its pixels are compared with the model's; it exits 1 when they differ. A folder is
not put in its place then, nor when the export is stopped.`;

export function registerExport(program: Command): void {
  commonOptions(program.command('export'))
    .description('write a network, a generator or a text-to-image model as ONNX')
    .argument(
      '[model]',
      'a model file or folder, builtin:scenes (the generator) or builtin:scenes/teacher',
      'builtin:scenes',
    )
    .option('--out <path>', "the file or folder to write (default: the model's name with .onnx or -onnx)")
    .option('--batch <n>', 'images per call, fixed in the files', positiveInteger, 1)
    .option(
      '--size <height>x<width>',
      'in pixels, fixed in the files (default: what a text model was trained on)',
      imageSize,
    )
    .addHelpText('after', notes)
    .action(exportModel);
}

async function exportModel(model: string, options: ExportOptions & CommonOptions): Promise<void> {
  const { exportCommand } = await import('../export/export.ts');
  process.exitCode = await exportCommand(model, options, createOutput(options));
}
