/** Values of a stopped program: the commands that show them, and what brings their panels back after a reload. */
import * as vscode from 'vscode';
import { once } from '../once.ts';
import { restored } from '../panels/restored.ts';
import { scoreWatchViewType } from '../panels/score-watch/view-type.ts';
import { valueViewType } from '../panels/value/view-type.ts';
import type { Services } from '../services.ts';

export function registerValues(context: vscode.ExtensionContext, services: Services): void {
  const program = once(async () => {
    const { StoppedProgram } = await import('./stopped-program.ts');
    const made = new StoppedProgram();
    context.subscriptions.push(made);
    return made;
  });
  const values = once(async () => {
    const { ValuePanels } = await import('../panels/value/panels.ts');
    return new ValuePanels(services, await program());
  });
  const scores = once(async () => {
    const { ScoreWatchPanel } = await import('../panels/score-watch/panel.ts');
    return new ScoreWatchPanel(context, services, await program());
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('dmd.openScoreWatch', () =>
      services.errors.guard(vscode.l10n.t('Could not open the score watch'), async () => (await scores()).show()),
    ),
    restored(scoreWatchViewType, vscode.l10n.t('Could not bring back the score watch'), services, async (panel) =>
      (await scores()).adopt(panel),
    ),
    vscode.commands.registerCommand('dmd.viewValue', (what: unknown) =>
      services.errors.guard(vscode.l10n.t('Could not show the value'), async () => {
        const { namedValue } = await import('./named-value.ts');
        const expression = await namedValue(what);
        if (expression !== undefined) (await values()).show(expression);
      }),
    ),
    restored(valueViewType, vscode.l10n.t('Could not bring back the value'), services, async (panel, state) =>
      (await values()).restore(panel, state),
    ),
  );
}
