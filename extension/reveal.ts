/** Shows a file to the person who asked where it is. */
import * as vscode from 'vscode';

/**
 * In the file manager of this machine; over a remote connection, where that is another machine's, in the explorer, or for what lies
 * outside the workspace by its path.
 */
export async function revealFile(path: string): Promise<void> {
  const uri = vscode.Uri.file(path);
  if (vscode.env.remoteName === undefined) {
    await vscode.commands.executeCommand('revealFileInOS', uri);
    return;
  }
  if (vscode.workspace.getWorkspaceFolder(uri)) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    return;
  }
  const copy = vscode.l10n.t('Copy Path');
  const open = vscode.l10n.t('Open in Terminal');
  // Not waited for: the message may stay.
  vscode.window.showInformationMessage(path, copy, open).then((chosen) => {
    if (chosen === copy) vscode.env.clipboard.writeText(path);
    if (chosen === open) vscode.commands.executeCommand('openInTerminal', uri);
  });
}
