/** The command "DMD: New Run Config...": a file that begins as a copy of a preset. */
import * as vscode from 'vscode';
import { listPresets } from '../../backend/protocol/rpc/index.ts';
import { askFolder } from '../ask-folder.ts';
import type { Backend } from '../backend/backend.ts';
import type { Services } from '../services.ts';
import { freeName } from './free-name.ts';

interface PresetItem extends vscode.QuickPickItem {
  readonly preset: { readonly name: string; readonly text: string };
}

/** The file is opened unsaved: nothing is on disk before the person saves it. */
export async function newRunConfig({ backend }: Services): Promise<void> {
  const picked = await vscode.window.showQuickPick<PresetItem>(presets(backend), {
    title: vscode.l10n.t('New Run Config'),
    placeHolder: vscode.l10n.t('What should the config begin as?'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (!picked) return;
  const document = await vscode.workspace.openTextDocument(await freeUri(picked.preset.name));
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, new vscode.Position(0, 0), picked.preset.text);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document);
}

async function presets(backend: Backend): Promise<PresetItem[]> {
  return (await backend.request(listPresets, {})).map(({ title, kind, detail, name, text }) => ({
    label: title,
    description: kind === 'distill' ? vscode.l10n.t('distillation') : vscode.l10n.t('teacher'),
    detail,
    preset: { name, text },
  }));
}

/** A name that is not taken, in a folder of the workspace. */
async function freeUri(preset: string): Promise<vscode.Uri> {
  const open = vscode.workspace.textDocuments.map(({ uri }) => uri.path.replace(/^.*\//, ''));
  const folder = (await askFolder(vscode.l10n.t('Folder for the new run config')))?.uri;
  if (!folder) return vscode.Uri.from({ scheme: 'untitled', path: freeName(preset, open) });
  const there = (await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name);
  return vscode.Uri.joinPath(folder, freeName(preset, [...open, ...there])).with({ scheme: 'untitled' });
}
