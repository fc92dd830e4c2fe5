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
  );
}
