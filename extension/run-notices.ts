/**
 * Tells once when a run ends by itself otherwise than it should: it stopped at an error, such as the first NaN, or its process
 * was ended. Names the error and, where there is one, the gravest alarm of its health. Only runs that went on after this window
 * was opened are told of; like the status bar, it asks for no list of its own.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord, RunVerdict } from '../backend/protocol/rpc/index.ts';
import { sentence } from './error-text.ts';
import type { Services } from './services.ts';
import { isActive } from './views/run-text.ts';

/** Of a text from a file: a notification is cut at a thousand characters. */
const mostCharacters = 400;

export function registerRunNotices(context: vscode.ExtensionContext, services: Services): void {
  const { runs, errors } = services;
  const opened = new Date().toISOString();
  /** Runs that somebody worked on when last heard of; those that ended before. */
  const active = new Set<string>();
  const ended = new Set<string>();
  const look = (run: RunRecord) => {
    if (isActive(run)) {
      active.add(run.folder);
      ended.delete(run.folder);
      return;
    }
    const wentOn = active.delete(run.folder) || (run.endedAt !== null && run.endedAt > opened);
    const isNews = wentOn && !ended.has(run.folder);
    ended.add(run.folder);
    if (isNews && (run.state === 'failed' || run.state === 'interrupted') && wanted()) {
      notify(run, services).catch((error) => errors.log(error, 'Could not tell of a run that ended'));
    }
  };
  context.subscriptions.push(runs.onDidChange((run) => (run ? [run] : runs.list()).forEach(look)));
}

const wanted = () => vscode.workspace.getConfiguration('dmd').get<boolean>('notifications', true);

async function notify(run: RunRecord, services: Services): Promise<void> {
  const alarm = await gravestAlarm(run, services);
  const text = plain(
    [outcome(run), alarm ? alarmText(alarm) : sentence(run.error?.hint ?? '')].filter(Boolean).join(' '),
  );
  const [openMonitor, showLog] = [vscode.l10n.t('Open Monitor'), vscode.l10n.t('Show Log')];
  const answered = async (chosen: string | undefined) => {
    if (chosen === openMonitor) await vscode.commands.executeCommand('dmd.openMonitor', run.folder);
    else if (chosen === showLog) await openLog(run, services);
  };
  if (run.state === 'failed') vscode.window.showErrorMessage(text, openMonitor, showLog).then(answered);
  else vscode.window.showWarningMessage(text, openMonitor, showLog).then(answered);
}

function outcome({ name, step, state, error }: RunRecord): string {
  if (state === 'interrupted') {
    return vscode.l10n.t('The run "{0}" was interrupted after step {1}: its process ended without a word.', name, step);
  }
  if (!error) return vscode.l10n.t('The run "{0}" failed after step {1}.', name, step);
  return sentence(vscode.l10n.t('The run "{0}" failed after step {1}: {2}', name, step, shortened(error.message)));
}

function alarmText({ title, step, statement, advice }: RunVerdict): string {
  const said = [statement, advice].map(sentence).join(' ');
  return vscode.l10n.t('Health alarm in step {0}, {1}: {2}', step, title, shortened(said));
}

/** Undefined where there is none, or where the recorded numbers cannot be read: the run's own error is told in any case. */
async function gravestAlarm({ folder }: RunRecord, { backend, errors }: Services): Promise<RunVerdict | undefined> {
  try {
    const { readHealth } = await import('../backend/protocol/rpc/index.ts');
    const { verdicts } = await backend.request(readHealth, { folder });
    return verdicts.find(({ severity }) => severity === 'alarm');
  } catch (error) {
    errors.log(error, "Could not read a run's health");
    return undefined;
  }
}

/** What the run's own process said; of a run in a terminal, which has no such file, the extension's log. */
async function openLog({ folder }: RunRecord, { log }: Services): Promise<void> {
  const file = join(folder, 'run.log');
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) await vscode.window.showTextDocument(vscode.Uri.file(file));
  else log.show(true);
}

function shortened(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1).trimEnd()}…` : text;
}

/** Names and errors come from files: a link in them, which a notification would show as one that calls commands, is none. */
function plain(text: string): string {
  return text.replaceAll('](', '] (');
}
