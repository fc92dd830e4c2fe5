/** In which folder of the workspace something is made. */
import * as vscode from 'vscode';

/**
 * The one that is open; of several the one that the person picks. Undefined where no folder on this disk is open.
 * @param placeHolder says for what
 * @throws CancellationError when the person picks none
 */
export async function askFolder(placeHolder: string): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (folders.length < 2) return folders[0];
  const picked = await vscode.window.showWorkspaceFolderPick({ placeHolder });
  if (!picked) throw new vscode.CancellationError();
  return picked;
}
