/**
 * The debug type `dmd`: what F5 means on a run config, the program that speaks for a run (backend/adapter/), the listings that are its
 * source, and the commands of a stop.
 */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { Listings } from './listings.ts';

const type = 'dmd';

export function registerDebug(context: vscode.ExtensionContext, services: Services): void {
  const { errors } = services;
  const listings = new Listings(services);
  const load = () => import('./configurations.ts');
  const cannotDebug = () => vscode.l10n.t('Could not debug the run');
  const provider: vscode.DebugConfigurationProvider = {
    provideDebugConfigurations: async (folder, token) => (await load()).configsOfWorkspace(services, folder, token),
    // Undefined: nothing begins, and why has been said.
    resolveDebugConfiguration: (_, config) =>
      errors.guard(cannotDebug(), async () => (await load()).completed(config, services)),
    resolveDebugConfigurationWithSubstitutedVariables: (folder, config) =>
      errors.guard(cannotDebug(), async () => (await load()).withPaths(config, folder, services)),
  };
  const { Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
  const command = (id: string, what: () => string, run: (given: unknown, commands: Commands) => Promise<unknown>) =>
    vscode.commands.registerCommand(id, (given?: unknown) =>
      errors.guard(what(), async () => run(given, await import('./commands.ts'))),
    );
  context.subscriptions.push(
    ...listings.register(),
    vscode.debug.registerDebugConfigurationProvider(type, provider),
    vscode.debug.registerDebugConfigurationProvider(type, provider, Dynamic),
    vscode.debug.registerDebugAdapterDescriptorFactory(type, {
      createDebugAdapterDescriptor: async () => (await import('./adapter.ts')).adapterOf(context.extensionUri),
    }),
    vscode.debug.onDidReceiveDebugSessionCustomEvent(async ({ session, event, body }) => {
      if (session.type !== type || event !== 'dmdOpened') return;
      (await import('./opened.ts')).opened(session, body, listings, services);
    }),
    vscode.debug.onDidTerminateDebugSession((session) => listings.forget(session)),
    command('dmd.debugRunFromFile', cannotDebug, (given, { debugConfig }) => debugConfig(given)),
    command(
      'dmd.openAlgorithm',
      () => vscode.l10n.t('Could not show the algorithm'),
      (given, { openAlgorithm }) => openAlgorithm(given),
    ),
    command('dmd.attachDebugger', cannotDebug, (given, { attach }) => attach(given, services)),
    command(
      'dmd.skipUpdate',
      () => vscode.l10n.t('Could not skip the update'),
      (_, { skipUpdate }) => skipUpdate(),
    ),
    command(
      'dmd.findOrigin',
      () => vscode.l10n.t('Could not find where it came from'),
      (_, { findOrigin }) => findOrigin(),
    ),
    command(
      'dmd.inspectStop',
      () => vscode.l10n.t('Could not open the score inspector'),
      (_, { inspectStop }) => inspectStop(),
    ),
    command(
      'dmd.rollBack',
      () => vscode.l10n.t('Could not go back to a checkpoint'),
      (_, { rollBack }) => rollBack(),
    ),
  );
}

type Commands = typeof import('./commands.ts');
