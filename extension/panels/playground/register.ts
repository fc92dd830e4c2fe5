/** The playground: the command that opens it, and what brings it back after a reload of the window. */
import * as vscode from 'vscode';
import type { Services } from '../../services.ts';
import { playgroundViewType } from './view-type.ts';

export function registerPlayground(context: vscode.ExtensionContext, services: Services): void {
  let made: Promise<import('./panel.ts').PlaygroundPanel> | undefined;
  const panel = () => {
    made ??= import('./panel.ts').then(({ PlaygroundPanel }) => new PlaygroundPanel(context, services));
    return made;
  };
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.openPlayground', () =>
      services.errors.guard(vscode.l10n.t('Could not open the playground'), async () => (await panel()).show()),
    ),
    vscode.window.registerWebviewPanelSerializer(playgroundViewType, {
      async deserializeWebviewPanel(webviewPanel) {
        await services.errors.guard(vscode.l10n.t('Could not bring back the playground'), async () =>
          (await panel()).adopt(webviewPanel),
        );
      },
    }),
  );
}
