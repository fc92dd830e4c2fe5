/** The work of `dmd export`. */
import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { exportModel } from '../../export/export-model.ts';
import { modelPath, openModel } from '../../models/model-file.ts';
import { isTextModel } from '../../models/text/is-text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Output } from '../output.ts';
import type { ExportOptions } from './options.ts';

export type { ExportOptions } from './options.ts';

/** Returns the exit code: 1 when the file computes other pixels. */
export async function exportCommand(name: string, options: ExportOptions, output: Output): Promise<number> {
  if (options.half && options.format !== 'model') {
    throw new UserError(
      'usage',
      '--half is for a model file: ONNX files are float32',
      'Add --format model, or leave out --half.',
    );
  }
  if (isRunFolder(name)) {
    const { exportRun } = await import('./export-run.ts');
    return exportRun(name, options, output, (model, own) => exportOnnx(model, own, output));
  }
  if (options.step !== undefined || options.ema !== undefined || options.format === 'model') {
    const hint = 'Give the folder of a run: its checkpoints keep the steps and their averages.';
    throw new UserError('usage', `${name} is one model: --step, --ema and --format choose among those of a run`, hint);
  }
  return exportOnnx(name, options, output);
}

const isRunFolder = (name: string) => existsSync(join(name, 'run.json'));

async function exportOnnx(name: string, options: ExportOptions, output: Output): Promise<number> {
  if (isTextModel(modelPath(name))) {
    const { exportText } = await import('./export-text.ts');
    return exportText(name, options, output);
  }
  if (options.size) {
    throw new UserError('usage', '--size is for text-to-image models', 'This one has its size in its weights.');
  }
  const model = await openModel(name);
  const file = options.out ?? `${basename(model.path, extname(model.path))}.onnx`;
  const { largest, ...done } = await exportModel(model, file, options.batch);
  output.event('export', { file, ...done });
  output.line(`${file}: ${(done.bytes / 1e6).toFixed(1)} MB, ${done.inputs} -> ${done.outputs}`);
  const verdict = `largest difference ${done.largestError.toExponential(1)} in pixels up to ${largest.toFixed(2)}`;
  output.line(done.ok ? `run on its own it gives the same pixels (${verdict})` : `MISS: other pixels (${verdict})`);
  return done.ok ? 0 : 1;
}
