/** Writes what the monitor shows to a file of the person's choice. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../../backend/protocol/errors.ts';
import { exportCsv } from '../../../backend/protocol/rpc/runs.ts';
import type { Backend } from '../../backend/backend.ts';

export function saveRunCsv(
  backend: Backend,
  folder: string,
  tags: string[],
  token: vscode.CancellationToken,
): Promise<boolean> {
  return saveBytes(`${basename(folder)}.csv`, { CSV: ['csv'] }, () =>
    vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Writing the curves…') },
      () => backend.request(exportCsv, { folder, tags }, token),
    ),
  );
}

/** Asks where to. @returns false when the person changed their mind */
export async function saveBytes(
  name: string,
  filters: Record<string, string[]>,
  make: () => PromiseLike<Uint8Array>,
): Promise<boolean> {
  return (await saveWhere(name, filters, make)) !== null;
}

/** The same. @returns the file that was written, null when the person changed their mind */
export async function saveWhere(
  name: string,
  filters: Record<string, string[]>,
  make: () => PromiseLike<Uint8Array>,
): Promise<string | null> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  const defaultUri = folder ? vscode.Uri.joinPath(folder.uri, name) : undefined;
  const target = await vscode.window.showSaveDialog({ filters, ...(defaultUri ? { defaultUri } : {}) });
  if (!target) return null;
  const bytes = await make();
  try {
    await vscode.workspace.fs.writeFile(target, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError('io', vscode.l10n.t('could not write {0}: {1}', target.fsPath, reason));
  }
  return target.fsPath;
}
