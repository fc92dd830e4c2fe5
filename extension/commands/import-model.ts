/** The command "DMD: Import Model...": checks that a file or folder is a model and puts it on the list; nothing is copied. */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { describeModel } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';

export async function importModel({ backend, modelFiles }: Services): Promise<void> {
  const uri = await chooseSource();
  if (!uri) return;
  const path = uri.fsPath;
  const info = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Reading {0}', path), cancellable: true },
    (_, token) => backend.request(describeModel, { model: path }, token),
  );
  if (info.problem !== '') {
    const hint = vscode.l10n.t(
      'Known are safetensors, EDM and PyTorch files with an EDM network, and ONNX files of this program.',
    );
    throw new UserError('weights', `${path}: ${info.problem}`, hint);
  }
  await modelFiles.add(path);
  await vscode.commands.executeCommand('dmd.models.focus');
}

/** Most systems have no dialog that takes both, so which of them comes first. */
async function chooseSource(): Promise<vscode.Uri | undefined> {
  const file = {
    label: `$(file) ${vscode.l10n.t('A File')}`,
    detail: '.safetensors, .pkl, .pt, .pth, .onnx',
    folder: false,
  };
  const folder = {
    label: `$(folder) ${vscode.l10n.t('A Folder')}`,
    detail: vscode.l10n.t('in the layout of diffusers'),
    folder: true,
  };
  const picked = await vscode.window.showQuickPick([file, folder], {
    title: vscode.l10n.t('Import Model'),
    placeHolder: vscode.l10n.t('What is the model in? It stays where it is.'),
  });
  if (!picked) return undefined;
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Import Model'),
    openLabel: vscode.l10n.t('Import'),
    canSelectFiles: !picked.folder,
    canSelectFolders: picked.folder,
    filters: picked.folder
      ? {}
      : {
          [vscode.l10n.t('Models')]: ['safetensors', 'pkl', 'pt', 'pth', 'bin', 'ckpt', 'onnx'],
          [vscode.l10n.t('All Files')]: ['*'],
        },
  });
  return chosen?.[0];
}
