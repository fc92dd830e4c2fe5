/** The score inspector: the command that opens it, and what brings it back after a reload of the window. */
import * as vscode from 'vscode';
import { once } from '../../once.ts';
import type { Services } from '../../services.ts';
import { restored } from '../restored.ts';
import { inspectorViewType } from './view-type.ts';

/** @see InspectorPanels for what the command takes */
export function registerInspector(context: vscode.ExtensionContext, services: Services): void {
  const panels = once(async () => {
    const { InspectorPanels } = await import('./panels.ts');
    return new InspectorPanels(services);
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.inspectScores', (...what: unknown[]) =>
      services.errors.guard(vscode.l10n.t('Could not open the score inspector'), async () =>
        (await panels()).openFor(what),
      ),
    ),
    restored(
      inspectorViewType,
      vscode.l10n.t('Could not bring back the score inspector'),
      services,
      async (panel, state) => (await panels()).restore(panel, state),
    ),
  );
}
