/** "DMD: Restore Image Settings from PNG...": from the explorer's menu, or from a file that is picked. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { restorable } from '../../backend/protocol/panels/generate-form.ts';
import type { GenerateSession } from '../generate/session.ts';
import { type GeneratePanel, pickPng } from '../panels/generate.ts';
import { generateTexts } from '../panels/generate-texts.ts';

export async function restoreImageSettings(session: GenerateSession, panel: GeneratePanel, uri?: vscode.Uri) {
  const file = uri ?? (await pickPng());
  if (!file) return;
  const name = basename(file.fsPath);
  const lost = await session.restorePng(await read(file), name);
  panel.show();
  if (!lost || lost.length === 0) return;
  const texts = generateTexts();
  const names = lost.map((setting) => texts[restorable[setting]]).join(', ');
  void vscode.window.showWarningMessage(
    vscode.l10n.t('The form has the settings of {0} now, but not these: {1}.', name, names),
  );
}

async function read(file: vscode.Uri): Promise<Uint8Array> {
  try {
    return new Uint8Array(await vscode.workspace.fs.readFile(file));
  } catch (cause) {
    const message = vscode.l10n.t('{0} cannot be read: {1}', file.fsPath, (cause as Error).message);
    throw new UserError('io', message, vscode.l10n.t('Check that the file is still there.'), { cause });
  }
}
