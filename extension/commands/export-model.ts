/** The command "DMD: Export Model to ONNX...": asks where to, shows how far it is, and lists the file. */
import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { exportModel, type ModelInfo, progress } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { fileSize } from '../views/format.ts';

export async function exportToOnnx(info: ModelInfo, { backend, modelFiles, roots }: Services): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export {0} to ONNX', info.title),
    defaultUri: vscode.Uri.file(join(info.run ?? dirname(roots.forNewRun()), `${fileName(info)}.onnx`)),
    filters: { ONNX: ['onnx'] },
  });
  if (!target) return;
  const id = randomUUID();
  const title = vscode.l10n.t('Exporting {0}', info.title);
  const { file, bytes } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (report, token) => {
      let shown = 0;
      const news = backend.onNotification(progress, (said) => {
        if (said.id !== id || !(said.total > 0)) return;
        const percent = Math.min(100, (said.done / said.total) * 100);
        report.report({ message: said.label, increment: Math.max(0, percent - shown) });
        shown = Math.max(shown, percent);
      });
      try {
        return await backend.request(exportModel, { id, model: info.model, file: target.fsPath }, token);
      } finally {
        news.dispose();
      }
    },
  );
  await modelFiles.add(file);
  const show = vscode.l10n.t('Show in Folder');
  const message = vscode.l10n.t('Exported {0} ({1}).', basename(file), fileSize(bytes));
  // Not waited for: the export is done.
  vscode.window.showInformationMessage(message, show).then((chosen) => {
    if (chosen === show) vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(file));
  });
}

function fileName({ title, model }: ModelInfo): string {
  const name = model.startsWith('builtin:') ? title : basename(model).replace(/\.[^.]+$/, '');
  return name.replace(/[^\w.-]+/g, '-') || 'model';
}
