/**
 * "DMD: Copy Python Recorder": puts dmd_record.py, with which a trainer of the person's own records score fields, beside it.
 * A file of that name is replaced only when the person says so.
 */
import { lstatSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { readTextAside, refuseLink } from '../../backend/files/regular.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const name = 'dmd_record.py';

/** Opens the copy: its first lines say how to call it. */
export async function copyPythonRecorder(extensionUri: vscode.Uri): Promise<void> {
  const folder = await targetFolder();
  if (folder === undefined) return;
  const text = await readTextAside(vscode.Uri.joinPath(extensionUri, 'media', 'python', name).fsPath, 'config');
  const target = join(folder, name);
  if (!isThere(target)) await write(target, text, 'wx');
  else if (!(await holds(target, text))) {
    if (!(await mayReplace(target))) return;
    await write(target, text, 'w');
  }
  await vscode.window.showTextDocument(vscode.Uri.file(target));
}

/** Beside the Python file in the active editor, or wherever the person says; undefined when they do not. */
async function targetFolder(): Promise<string | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== 'python' || document.uri.scheme !== 'file' || document.isUntitled) return pickedFolder();
  const beside = dirname(document.uri.fsPath);
  const here = { label: vscode.l10n.t('Beside {0}', basename(document.uri.fsPath)), detail: beside };
  const elsewhere = { label: vscode.l10n.t('Choose a Folder...') };
  const picked = await vscode.window.showQuickPick([here, elsewhere], {
    title: vscode.l10n.t('Copy Python Recorder'),
    placeHolder: vscode.l10n.t('Where is the program that trains?'),
  });
  if (picked === here) return beside;
  return picked && pickedFolder(vscode.Uri.file(beside));
}

async function pickedFolder(beside?: vscode.Uri): Promise<string | undefined> {
  const defaultUri = beside ?? vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri;
  const [folder] =
    (await vscode.window.showOpenDialog({
      ...{ canSelectFiles: false, canSelectFolders: true, ...(defaultUri && { defaultUri }) },
      ...{ title: vscode.l10n.t('Copy Python Recorder'), openLabel: vscode.l10n.t('Copy Here') },
    })) ?? [];
  return folder?.fsPath;
}

/** Also a link that leads nowhere. */
const isThere = (file: string) => lstatSync(file, { throwIfNoEntry: false }) !== undefined;

/** Throws UserError('io') for what is no regular file. */
async function holds(file: string, text: string): Promise<boolean> {
  refuseLink(file);
  return (await readTextAside(file, 'log')) === text;
}

/** @param flag wx: fails where there is a file by now */
async function write(file: string, text: string, flag: 'w' | 'wx'): Promise<void> {
  try {
    await writeFile(file, text, { flag });
  } catch (cause) {
    const message = vscode.l10n.t('{0} could not be written: {1}', file, (cause as Error).message);
    throw new UserError('io', message, vscode.l10n.t('Choose another place.'), { cause });
  }
}

async function mayReplace(file: string): Promise<boolean> {
  const replace = vscode.l10n.t('Replace');
  const message = vscode.l10n.t('{0} is there already and is another one. Replace it?', file);
  const detail = vscode.l10n.t('What was changed in it is lost.');
  return (await vscode.window.showWarningMessage(message, { modal: true, detail }, replace)) === replace;
}
