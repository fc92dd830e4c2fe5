/** The work of `dmd export` for a text-to-image model: a folder of ONNX files. */
import { basename, resolve } from 'node:path';
import { exportTextModel, type TextExported, type TextExportRequest } from '../../export/text/export-text.ts';
import { modelPath } from '../../models/model-file.ts';
import { interruptible } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { createProgress, progressMode } from '../progress.ts';
import type { ExportOptions } from './options.ts';

/** Returns the exit code: 1 when the files compute other pixels. */
export async function exportText(name: string, options: ExportOptions, output: Output): Promise<number> {
  const { batch, size, out: target = defaultFolder(name) } = options;
  const request = { model: modelPath(name), target, batch, ...(size ? { size } : {}) };
  const { largest, ...done } = await withProgress(request, output);
  output.event('export', done);
  const { folder, files, largestError } = done;
  const verdict = `largest difference ${largestError.toExponential(1)} in pixels up to ${largest.toFixed(2)}`;
  if (!done.ok) {
    output.line(`MISS: other pixels (${verdict}); ${folder} was not written`);
    return 1;
  }
  output.line(`${folder}: ${(done.bytes / 1e6).toFixed(1)} MB, pictures of ${done.size.join(' x ')}`);
  for (const [part, signature] of Object.entries(files)) output.line(`  ${part}/model.onnx: ${signature}`);
  output.line(`run on its own it gives the same pixels (${verdict})`);
  return 0;
}

async function withProgress(request: TextExportRequest, output: Output): Promise<TextExported> {
  let progress: ReturnType<typeof createProgress> | undefined;
  const onStage: TextExportRequest['onStage'] = (stage, done, total) => {
    progress ??= createProgress(progressMode(output.json), 'export', total, { unit: 'steps' });
    progress.update(done, { stage });
  };
  try {
    return await interruptible((signal) => exportTextModel({ ...request, onStage, signal }));
  } finally {
    progress?.end();
  }
}

/** In the folder one is in. */
function defaultFolder(name: string): string {
  const own = name.startsWith('builtin:')
    ? name.slice('builtin:'.length).replaceAll('/', '-')
    : basename(resolve(name));
  return `${own}-onnx`;
}
