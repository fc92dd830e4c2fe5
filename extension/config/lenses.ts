/** What can be done with a config, above its first line. */
import * as vscode from 'vscode';

export class ConfigLenses implements vscode.CodeLensProvider {
  /** Nothing runs in a workspace that is not trusted, so nothing is offered. */
  readonly onDidChangeCodeLenses = vscode.workspace.onDidGrantWorkspaceTrust;

  provideCodeLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
    if (!vscode.workspace.isTrusted) return [];
    const lens = (title: string, command: string) =>
      new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), { title, command, arguments: [uri] });
    return [
      lens(`$(play) ${vscode.l10n.t('Start Run')}`, 'dmd.startRunFromFile'),
      lens(`$(debug-alt) ${vscode.l10n.t('Debug Run')}`, 'dmd.debugRunFromFile'),
      lens(vscode.l10n.t('Algorithm'), 'dmd.openAlgorithm'),
      lens(vscode.l10n.t('Compare with Last Run'), 'dmd.compareWithLastRun'),
      lens(vscode.l10n.t('Check Again'), 'dmd.checkConfig'),
    ];
  }
}
