/** The commands about the backend itself. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import type { EditorBackend } from './editor-backend.ts';

export function registerBackend(
  context: vscode.ExtensionContext,
  { log, errors }: Services,
  backend: EditorBackend,
): void {
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.showLog', () => log.show()),
    vscode.commands.registerCommand('dmd.restartBackend', () =>
      errors.guard(vscode.l10n.t('Could not restart the backend'), () =>
        vscode.window.withProgress(
          { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Restarting the DMD backend') },
          () => backend.restart(),
        ),
      ),
    ),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const changed = settings.find((name) => event.affectsConfiguration(name));
      if (changed !== undefined && backend.isUsed && vscode.workspace.isTrusted) offerRestart(changed);
    }),
  );
}

/** What a process of the backend reads when it starts. */
const settings = ['dmd.nodePath', 'dmd.openvinoPath'];

/** Not waited for: it may stay in the notification centre. */
function offerRestart(setting: string): void {
  const restart = vscode.l10n.t('Restart Backend');
  const said = vscode.l10n.t(
    'The setting {0} takes effect when the backend is restarted. Training runs go on.',
    setting,
  );
  vscode.window.showInformationMessage(said, restart).then((chosen) => {
    if (chosen === restart) vscode.commands.executeCommand('dmd.restartBackend');
  });
}
