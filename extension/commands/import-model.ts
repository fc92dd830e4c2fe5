/**
 * The command "DMD: Import Model...": checks that a file or folder is a model and puts it on the list, where nothing is
 * copied; or makes a model of a bare UNet (import-unet.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { describeModel } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';

const kinds = ['file', 'folder', 'unet'] as const;
type Kind = (typeof kinds)[number];

export async function importModel(services: Services): Promise<void> {
  const kind = await chooseKind();
  if (kind === 'unet') {
    await (await import('./import-unet.ts')).importOneStepUNet(services);
    return;
  }
  const uri = kind && (await chooseSource(kind));
  if (uri) await importAsItIs(uri, services);
}

async function importAsItIs(uri: vscode.Uri, { backend, modelFiles }: Services): Promise<void> {
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

/** Most systems have no dialog that takes both files and folders, so which of them comes first. */
async function chooseKind(): Promise<Kind | undefined> {
  const texts: Record<Kind, { label: string; detail: string }> = {
    file: {
      label: `$(file) ${vscode.l10n.t('A File')}`,
      detail: vscode.l10n.t('{0}; it stays where it is', '.safetensors, .pkl, .pt, .pth, .onnx'),
    },
    folder: {
      label: `$(folder) ${vscode.l10n.t('A Folder')}`,
      detail: vscode.l10n.t('in the layout of diffusers; it stays where it is'),
    },
    unet: {
      label: `$(combine) ${vscode.l10n.t('A One-Step UNet File with Its Base Model...')}`,
      detail: vscode.l10n.t('a bare state dict such as pytorch_model.bin of DMD2; a new model folder is made of it'),
    },
  };
  const items = kinds.map((kind) => ({ ...texts[kind], source: kind }));
  const options = {
    title: vscode.l10n.t('Import Model'),
    placeHolder: vscode.l10n.t('What is the model in?'),
    matchOnDetail: true,
  };
  return (await vscode.window.showQuickPick(items, options))?.source;
}

async function chooseSource(kind: 'file' | 'folder'): Promise<vscode.Uri | undefined> {
  const isFolder = kind === 'folder';
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Import Model'),
    openLabel: vscode.l10n.t('Import'),
    canSelectFiles: !isFolder,
    canSelectFolders: isFolder,
    filters: isFolder
      ? {}
      : {
          [vscode.l10n.t('Models')]: ['safetensors', 'pkl', 'pt', 'pth', 'bin', 'ckpt', 'onnx'],
          [vscode.l10n.t('All Files')]: ['*'],
        },
  });
  return chosen?.[0];
}
