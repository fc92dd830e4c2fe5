/** The monitor: the command that opens it, and what brings it back after a reload of the window. */
import * as vscode from 'vscode';
import type { Services } from '../../services.ts';
import { monitorViewType } from './view-type.ts';

/** @see MonitorPanels for what the command takes */
export function registerMonitor(context: vscode.ExtensionContext, services: Services): void {
  const panels = once(async () => {
    const { MonitorPanels } = await import('./panels.ts');
    return new MonitorPanels(context, services);
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.openMonitor', (...what: unknown[]) =>
      services.errors.guard(vscode.l10n.t('Could not open the monitor'), async () => (await panels()).openFor(what)),
    ),
    vscode.window.registerWebviewPanelSerializer(monitorViewType, {
      async deserializeWebviewPanel(panel, state) {
        await services.errors.guard(vscode.l10n.t('Could not bring back the monitor'), async () =>
          (await panels()).restore(panel, state),
        );
      },
    }),
  );
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
