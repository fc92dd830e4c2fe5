/** The monitor: the command that opens it, and what brings it back after a reload of the window. */
import * as vscode from 'vscode';
import { once } from '../../once.ts';
import type { Services } from '../../services.ts';
import { restored } from '../restored.ts';
import { monitorViewType } from './view-type.ts';

/** @see MonitorPanels for what the command takes */
export function registerMonitor(context: vscode.ExtensionContext, services: Services): void {
  const panels = once(async () => {
    const { MonitorPanels } = await import('./panels.ts');
    return new MonitorPanels(services, context.workspaceState, context.globalState);
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.openMonitor', (...what: unknown[]) =>
      services.errors.guard(vscode.l10n.t('Could not open the monitor'), async () => (await panels()).openFor(what)),
    ),
    vscode.commands.registerCommand('dmd.keepMonitor', async () => (await panels()).keep()),
    restored(monitorViewType, vscode.l10n.t('Could not bring back the monitor'), services, async (panel, state) =>
      (await panels()).restore(panel, state),
    ),
  );
}
