/** The playground: the command that opens it, and what brings it back after a reload of the window. */
import * as vscode from 'vscode';
import { once } from '../../once.ts';
import type { Services } from '../../services.ts';
import { restored } from '../restored.ts';
import { playgroundViewType } from './view-type.ts';

export function registerPlayground(context: vscode.ExtensionContext, services: Services): void {
  const panel = once(async () => {
    const { PlaygroundPanel } = await import('./panel.ts');
    return new PlaygroundPanel(services);
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.openPlayground', () =>
      services.errors.guard(vscode.l10n.t('Could not open the playground'), async () => (await panel()).show()),
    ),
    restored(playgroundViewType, vscode.l10n.t('Could not bring back the playground'), services, async (webviewPanel) =>
      (await panel()).adopt(webviewPanel),
    ),
  );
}
