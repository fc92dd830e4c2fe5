/** Starts a run from a config and shows it. */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { readTextAside } from '../../backend/files/regular.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { startRun } from '../../backend/protocol/rpc/index.ts';
import { chooseFolder, Mendable, showProblems } from '../mend.ts';
import type { Services } from '../services.ts';
import { check } from './check.ts';

interface NewRun {
  /** Of the progress: "Starting ...". */
  readonly title: string;
  readonly text: string;
  readonly file: string;
  readonly root: string;
  /** `key.of.it=value`, over what the config says. */
  readonly set?: readonly string[];
}

/** A second click while a run is being started is not a second run. */
const starting = new Set<string>();

/** Saves the file first, because the run's folder names it as where it came from. Nothing happens when saving is cancelled. */
export async function startRunFromFile(
  uri: vscode.Uri,
  services: Services,
  set: readonly string[] = [],
): Promise<void> {
  const saved = await savedFile(uri);
  if (!saved) return;
  const document = await vscode.workspace.openTextDocument(saved);
  const file = saved.fsPath;
  const title = vscode.l10n.t('Starting {0}', vscode.workspace.asRelativePath(saved));
  const root = await services.roots.askForNewRun(saved);
  try {
    await beginRun({ title, text: document.getText(), file, root, set }, services);
  } catch (error) {
    throw await shortened(error, document, services);
  }
}

/** The quick run that comes with the extension: something to watch within seconds. */
export async function startBuiltinRun(extensionUri: vscode.Uri, services: Services): Promise<void> {
  const file = vscode.Uri.joinPath(extensionUri, 'media', 'presets', 'first-run.dmd.json').fsPath;
  const text = await readTextAside(file, 'config');
  const title = vscode.l10n.t('Starting the built-in run');
  await beginRun({ title, text, file, root: await services.roots.askForNewRun() }, services);
}

/** What is wrong with a config is marked in it, line by line: the message says only how much. */
async function shortened(error: unknown, document: vscode.TextDocument, services: Services): Promise<unknown> {
  if (!(error instanceof UserError && error.kind === 'config')) return error;
  const problems = await check(document, services, new AbortController().signal);
  const count = problems.filter(({ severity }) => severity === 'error').length;
  if (count === 0) return error;
  const name = vscode.workspace.asRelativePath(document.uri);
  const said =
    count === 1 ? vscode.l10n.t('{0} has a problem', name) : vscode.l10n.t('{0} has {1} problems', name, count);
  const hint = vscode.l10n.t('Correct it and start again; nothing was written.');
  return new Mendable('config', said, hint, [showProblems(document.uri)]);
}

async function savedFile(uri: vscode.Uri): Promise<vscode.Uri | undefined> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  return open && (open.isDirty || open.isUntitled) ? vscode.workspace.save(uri) : uri;
}

/** Starts the run with progress, remembers where it is, and opens its monitor. Where it cannot be written, another folder may be chosen. */
export async function beginRun(run: NewRun, services: Services): Promise<void> {
  const { title, text, file, root, set = [] } = run;
  const { backend, errors, roots, runs } = services;
  if (starting.has(file)) return;
  starting.add(file);
  try {
    const { folder } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      (_, token) => backend.request(startRun, { text, file, root, set: [...set] }, token),
    );
    await roots.remember(dirname(folder)); // a config may name another folder
    await runs.watch();
    await vscode.commands.executeCommand('dmd.openMonitor', folder);
  } catch (error) {
    const isOfRoot = error instanceof UserError && error.kind === 'io' && error.message.includes(root);
    if (!isOfRoot) throw error; // such as a teacher that cannot be read
    const what = vscode.l10n.t('Could not start the run');
    const again = (chosen: string) => errors.guard(what, () => beginRun({ ...run, root: chosen }, services));
    throw new Mendable('io', error.message, error.hint, [chooseFolder(vscode.l10n.t('Start the Run Here'), again)]);
  } finally {
    starting.delete(file);
  }
}
