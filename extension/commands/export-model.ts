/** The command "DMD: Export Model to ONNX...": asks where to, shows how far it is, and lists the result. */
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { exportModel, type ModelInfo } from '../../backend/protocol/rpc/index.ts';
import { revealFile } from '../reveal.ts';
import type { Services } from '../services.ts';
import { fileSize } from '../views/format.ts';
import { inProgress } from './in-progress.ts';

export async function exportToOnnx(info: ModelInfo, { backend, modelFiles, roots }: Services): Promise<void> {
  const target = await chooseTarget(info, info.run ?? dirname(roots.forNewRun()));
  if (!target) return;
  const title = vscode.l10n.t('Exporting {0}', info.title);
  const { file, bytes } = await inProgress(backend, { title, message: (label) => label }, (id, token) =>
    backend.request(exportModel, { id, model: info.model, file: target.fsPath }, token),
  );
  await modelFiles.add(file);
  const show = vscode.l10n.t('Show in Folder');
  const message = vscode.l10n.t('Exported {0} ({1}).', basename(file), fileSize(bytes));
  // Not waited for: the export is done.
  vscode.window.showInformationMessage(message, show).then((chosen) => {
    if (chosen === show) void revealFile(file);
  });
}

/** A file; of a text-to-image model the folder that is to be made, which the dialog takes by its name as well. */
function chooseTarget(info: ModelInfo, folder: string): Thenable<vscode.Uri | undefined> {
  const title = info.prompt
    ? vscode.l10n.t('Export {0} to a Folder of ONNX Files', info.title)
    : vscode.l10n.t('Export {0} to ONNX', info.title);
  const name = `${fileName(info)}${info.prompt ? '-onnx' : '.onnx'}`;
  return vscode.window.showSaveDialog({
    ...{ title, defaultUri: vscode.Uri.file(join(folder, name)) },
    ...(info.prompt ? { saveLabel: vscode.l10n.t('Export') } : { filters: { ONNX: ['onnx'] } }),
  });
}

function fileName({ title, model, prompt }: ModelInfo): string {
  const isTitled = prompt || model.startsWith('builtin:');
  const name = isTitled ? title : basename(model).replace(/\.[^.]+$/, '');
  return name.replace(/[^\w.-]+/g, '-') || 'model';
}
