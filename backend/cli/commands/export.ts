/** `dmd export`: a model as an ONNX file that any ONNX program can run. */
import type { Command } from 'commander';
import { positiveInteger } from '../arguments.ts';
import type { ExportOptions } from '../export/export.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

const notes = `
A generator takes z [B, C, H, W], standard normal, and gives image [B, C, H, W] in -1..1. A teacher takes x [B, C, H, W]
and sigma [B] and gives denoised. Networks with classes also take labels [B, classes], one-hot.

The file is run on its own after it was written and its pixels are compared; it exits 1 when they differ.`;

export function registerExport(program: Command): void {
  commonOptions(program.command('export'))
    .description('write a network or a generator as ONNX')
    .argument('[model]', 'a model file, builtin:scenes (the generator) or builtin:scenes/teacher', 'builtin:scenes')
    .option('--out <file>', 'the file to write (default: the name of the model with .onnx)')
    .option('--batch <n>', 'images per call, fixed in the file', positiveInteger, 1)
    .addHelpText('after', notes)
    .action(exportModel);
}

async function exportModel(model: string, options: ExportOptions & CommonOptions): Promise<void> {
  const { exportCommand } = await import('../export/export.ts');
  process.exitCode = await exportCommand(model, options, createOutput(options));
}
