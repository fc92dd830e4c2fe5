/** What a run's own process said. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';

/** Of a run in a terminal, which has no such file, the extension's log. */
export async function openLog(folder: string, log: vscode.LogOutputChannel): Promise<void> {
  const file = join(folder, 'run.log');
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) await vscode.window.showTextDocument(vscode.Uri.file(file));
  else log.show(true);
}
