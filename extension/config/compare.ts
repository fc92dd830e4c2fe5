/** Compares a config with the one that the last run of the same name was made with: both with every default, side by side. */
import { dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import { type Config, mapPaths, parseConfig } from '../../backend/protocol/config/index.ts';
import { openRun, type RunRecord } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { nameFromFile } from './config-files.ts';
import { ResolvedConfigs } from './resolved-configs.ts';

/** Runs that are looked into for the config's name before giving up; the newest come first. */
const mostRuns = 100;

let documents: ResolvedConfigs | null = null;

export async function compareWithLastRun(
  uri: vscode.Uri,
  context: vscode.ExtensionContext,
  services: Services,
): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const config = resolved(document.getText(), uri.fsPath);
  const last = await lastRunNamed(config, services);
  if (last === 'cancelled') return;
  if (!last) {
    vscode.window.showInformationMessage(
      vscode.l10n.t(
        'There is no run named "{0}" yet. Start one, then change the config and compare.',
        config.name ?? '',
      ),
    );
    return;
  }
  documents ??= new ResolvedConfigs(context);
  const before = documents.put(`${last.record.name}.json`, last.text);
  const now = documents.follow(document, () => pretty(resolved(document.getText(), uri.fsPath)));
  const title = vscode.l10n.t('{0} ↔ {1} (with defaults)', last.record.name, vscode.workspace.asRelativePath(uri));
  await vscode.commands.executeCommand('vscode.diff', before, now, title);
}

/** As a run would get it: every default, absolute paths, and a name. Throws UserError('config'). */
function resolved(text: string, file: string): Config {
  const config = mapPaths(parseConfig(text, file), (path) => resolve(dirname(file), path));
  // Read once more, so that the name stands where it does in the run's own config.
  return parseConfig(JSON.stringify({ ...config, name: config.name ?? nameFromFile(file) }), file);
}

function pretty(config: Config): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

interface LastRun {
  readonly record: RunRecord;
  readonly text: string;
}

async function lastRunNamed(config: Config, services: Services): Promise<LastRun | undefined | 'cancelled'> {
  const title = vscode.l10n.t('Looking for the last run named "{0}"', config.name ?? '');
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title, cancellable: true }, async (_, token) => {
    const ofItsKind = (await services.runs.watch()).filter(({ kind }) => kind === config.kind);
    for (const record of ofItsKind.slice(0, mostRuns)) {
      if (token.isCancellationRequested) return 'cancelled';
      const overview = await services.backend.request(openRun, { folder: record.folder }, token);
      const run = readable(overview.config, record.folder);
      if (run?.name === config.name) return { record, text: run ? pretty(run) : overview.config };
    }
    return undefined;
  });
}

/** A run's own config in the same form; null where it cannot be read, as in a damaged folder. */
function readable(text: string, folder: string): Config | null {
  try {
    return parseConfig(text, folder);
  } catch {
    return null;
  }
}
