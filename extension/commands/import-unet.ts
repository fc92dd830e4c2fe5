/** Imports a one-step generator that somebody published as a bare UNet: asks for its base, the file, how it is called, and the new folder. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { describeModel, importUNet, listModels, type ModelInfo } from '../../backend/protocol/rpc/index.ts';
import { revealFile } from '../reveal.ts';
import type { Services } from '../services.ts';
import { modelDescription } from '../views/model-item.ts';
import { chooseCalling } from './choose-calling.ts';
import { inProgress } from './in-progress.ts';

const { l10n } = vscode;

export async function importOneStepUNet(services: Services): Promise<void> {
  const { backend, modelFiles } = services;
  const base = await chooseBase(services);
  const file = base && (await chooseFile());
  const calling = file && (await chooseCalling());
  const out = calling && (await chooseTarget(base, file));
  if (!out) return;
  const { folder, parameters, key } = await inProgress(
    backend,
    {
      title: l10n.t('Importing {0}', basename(file)),
      message: (stage) => (stage === 'reading' ? l10n.t('Reading the weights') : l10n.t('Writing the folder')),
    },
    (id, token) => backend.request(importUNet, { id, base: base.model, file, out, ...calling }, token),
  );
  await modelFiles.add(folder);
  sayDone(folder, parameters, key);
  await vscode.commands.executeCommand('dmd.models.focus');
  await vscode.commands.executeCommand('dmd.openGeneratePanel', folder);
}

/** A whole text-to-image model: one of the list, or a folder that is looked for. */
async function chooseBase(services: Services): Promise<ModelInfo | undefined> {
  const { backend, roots, modelFiles } = services;
  const listing = backend.request(listModels, { roots: roots.list(), files: modelFiles.paths() });
  const browse = { label: `$(folder-opened) ${l10n.t('Browse...')}`, info: null };
  const items = listing.then((models) => [
    ...models.filter(isBase).map((info) => ({
      label: `$(mortar-board) ${info.title}`,
      ...{ description: modelDescription(info), detail: info.model, info },
    })),
    { ...browse, detail: l10n.t('a folder in the layout of diffusers') },
  ]);
  const picked = await vscode.window.showQuickPick<{ label: string; info: ModelInfo | null }>(items, {
    title: title(),
    placeHolder: l10n.t('Which model was the UNet distilled from? The rest of the generator comes from there.'),
  });
  return picked && (picked.info ?? browseBase(services));
}

/** A built-in one moves with every update of the extension, and the new folder would lose it; an export has no weights. */
function isBase({ prompt, role, problem, origin }: ModelInfo): boolean {
  return prompt && role === 'teacher' && problem === '' && (origin === 'run' || origin === 'imported');
}

async function browseBase({ backend }: Services): Promise<ModelInfo | undefined> {
  const uri = await open({ openLabel: l10n.t('Use as Base'), canSelectFiles: false, canSelectFolders: true });
  if (!uri) return undefined;
  const info = await backend.request(describeModel, { model: uri.fsPath });
  if (info.problem !== '') throw new UserError('weights', `${uri.fsPath}: ${info.problem}`);
  if (info.prompt) return info;
  const hint = l10n.t('The base is a folder with text encoder, UNet, VAE, tokenizer and scheduler.');
  throw new UserError('usage', l10n.t('{0} is no text-to-image model', uri.fsPath), hint);
}

async function chooseFile(): Promise<string | undefined> {
  const uri = await open({
    openLabel: l10n.t('Import'),
    filters: {
      [l10n.t('UNet Weights')]: ['safetensors', 'bin', 'pth', 'pt', 'ckpt'],
      [l10n.t('All Files')]: ['*'],
    },
  });
  return uri?.fsPath;
}

async function open(options: vscode.OpenDialogOptions): Promise<vscode.Uri | undefined> {
  return (await vscode.window.showOpenDialog({ title: title(), ...options }))?.[0];
}

/** A new folder in the workspace, beside the file, or anywhere. */
async function chooseTarget(base: ModelInfo, file: string): Promise<string | undefined> {
  const name = `${basename(base.title).replace(/[^\w.-]+/g, '-') || 'model'}-one-step`;
  const workspace = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  const places = [
    ...(workspace
      ? [{ label: `$(folder) ${l10n.t('In the Workspace')}`, folder: join(workspace.uri.fsPath, 'models') }]
      : []),
    ...(inHubCache(file) ? [] : [{ label: `$(file) ${l10n.t('Beside the UNet File')}`, folder: dirname(file) }]),
  ].map(({ label, folder }) => ({ label, detail: freeFolder(folder, name) }));
  const elsewhere = { label: `$(folder-opened) ${l10n.t('Elsewhere...')}`, detail: undefined };
  const picked = await vscode.window.showQuickPick([...places, elsewhere], {
    title: title(),
    placeHolder: l10n.t('Where is the folder of the new model to be?'),
  });
  if (!picked || picked.detail) return picked?.detail;
  const defaultUri = vscode.Uri.file(places[0]?.detail ?? join(dirname(base.model), name));
  const options = { title: l10n.t('The New Folder'), saveLabel: l10n.t('Make Folder'), defaultUri };
  return (await vscode.window.showSaveDialog(options))?.fsPath;
}

/** Other programs look after what is in there. */
function inHubCache(file: string): boolean {
  return /[/\\]models--[^/\\]+[/\\](snapshots|blobs)[/\\]/.test(file);
}

/** The name, with a number where it is taken. */
function freeFolder(parent: string, name: string): string {
  for (let attempt = 1; ; attempt++) {
    const folder = join(parent, attempt === 1 ? name : `${name}-${attempt}`);
    if (!existsSync(folder)) return folder;
  }
}

/** Not waited for: the import is done. */
function sayDone(folder: string, parameters: number, key: string): void {
  const show = l10n.t('Show in Folder');
  const millions = (parameters / 1e6).toFixed(1);
  const made = l10n.t('Imported {0}, a one-step generator of {1} million parameters.', basename(folder), millions);
  const message = key === '' ? made : `${made} ${l10n.t("Its weights are those under '{0}' in the file.", key)}`;
  vscode.window.showInformationMessage(message, show).then((chosen) => {
    if (chosen === show) void revealFile(folder);
  });
}

function title(): string {
  return l10n.t('Import One-Step UNet');
}
