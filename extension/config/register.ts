/** Run configs in the editor: marks and lenses for every `*.dmd.json`, and the commands that begin a run. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { configSelector, isConfig } from './config-files.ts';
import { ConfigDiagnostics } from './diagnostics.ts';
import { HealthDiagnostics } from './health-diagnostics.ts';
import { ConfigLenses } from './lenses.ts';
import { NameCompletions } from './name-completions.ts';

export function registerConfigs(context: vscode.ExtensionContext, services: Services): void {
  const { errors } = services;
  const diagnostics = new ConfigDiagnostics(context, services);
  new HealthDiagnostics(context, services);
  const selector = [...configSelector];
  /** For a command on a config: that of the lens, of the explorer's menu, or the one in the active editor. */
  const onConfig = (what: () => string, work: (uri: vscode.Uri) => Promise<unknown>) => (given?: unknown) =>
    errors.guard(what(), async () => {
      const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
      if (uri && isConfig(uri)) await work(uri);
      else vscode.window.showInformationMessage(vscode.l10n.t('Open a run config (a file NAME.dmd.json) first.'));
    });
  const command = (id: string, run: (argument?: unknown) => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(id, run));

  context.subscriptions.push(
    vscode.languages.registerCodeLensProvider(selector, new ConfigLenses()),
    vscode.languages.registerCompletionItemProvider(selector, new NameCompletions(services), '"', '/', ':'),
  );
  command(
    'dmd.startRunFromFile',
    onConfig(
      () => vscode.l10n.t('Could not start the run'),
      async (uri) => (await import('./start-run.ts')).startRunFromFile(uri, services),
    ),
  );
  command(
    'dmd.compareWithLastRun',
    onConfig(
      () => vscode.l10n.t('Could not compare the config with a run'),
      async (uri) => (await import('./compare.ts')).compareWithLastRun(uri, context, services),
    ),
  );
  command(
    'dmd.checkConfig',
    onConfig(
      () => vscode.l10n.t('Could not check the config'),
      (uri) => diagnostics.checkNow(uri),
    ),
  );
  command('dmd.newRunConfig', () =>
    errors.guard(vscode.l10n.t('Could not make a run config'), async () =>
      (await import('./new-config.ts')).newRunConfig(services),
    ),
  );
  command('dmd.startBuiltinRun', () =>
    errors.guard(vscode.l10n.t('Could not start the built-in run'), async () =>
      (await import('./start-run.ts')).startBuiltinRun(context.extensionUri, services),
    ),
  );
}
