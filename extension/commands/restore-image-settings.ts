/** "DMD: Restore Image Settings from PNG...": from the explorer's menu, or from a file that is picked. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { GenerateSession } from '../generate/session.ts';
import { type GeneratePanel, pickPng } from '../panels/generate.ts';

export async function restoreImageSettings(session: GenerateSession, panel: GeneratePanel, uri?: vscode.Uri) {
  const file = uri ?? (await pickPng());
  if (!file) return;
  await session.restorePng(await read(file), basename(file.fsPath));
  panel.show();
}

async function read(file: vscode.Uri): Promise<Uint8Array> {
  try {
    return new Uint8Array(await vscode.workspace.fs.readFile(file));
  } catch (cause) {
    const message = vscode.l10n.t('{0} cannot be read: {1}', file.fsPath, (cause as Error).message);
    throw new UserError('io', message, vscode.l10n.t('Check that the file is still there.'), { cause });
  }
}
