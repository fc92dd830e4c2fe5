/** The score inspector: the command that opens it, and what brings it back after a reload of the window. */
import * as vscode from 'vscode';
import type { Services } from '../../services.ts';
import { inspectorViewType } from './view-type.ts';

/** @see InspectorPanels for what the command takes */
export function registerInspector(context: vscode.ExtensionContext, services: Services): void {
  let made: Promise<import('./panels.ts').InspectorPanels> | undefined;
  const panels = () => {
    made ??= import('./panels.ts').then(({ InspectorPanels }) => new InspectorPanels(context, services));
    return made;
  };
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.inspectScores', (...what: unknown[]) =>
      services.errors.guard(vscode.l10n.t('Could not open the score inspector'), async () =>
        (await panels()).openFor(what),
      ),
    ),
    vscode.window.registerWebviewPanelSerializer(inspectorViewType, {
      async deserializeWebviewPanel(panel, state) {
        await services.errors.guard(vscode.l10n.t('Could not bring back the score inspector'), async () =>
          (await panels()).restore(panel, state),
        );
      },
    }),
  );
}
