/** The commands of the debugger. Those of a stop are about the session that the editor has in front. */
import * as vscode from 'vscode';
import { z } from '../../backend/protocol/config/zod.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { listingUri } from '../../backend/protocol/listing-uri.ts';
import { targetRuns } from '../commands/run-targets.ts';
import type { Services } from '../services.ts';
import { launching, openConfig } from './configurations.ts';

/** @param given the config's address, of a lens or a menu; else the one that is open */
export async function debugConfig(given: unknown): Promise<void> {
  const file = requireConfig(given);
  if (file === undefined) return;
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file)), launching(file));
}

export async function openAlgorithm(given: unknown): Promise<void> {
  const file = requireConfig(given);
  if (file === undefined) return;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(listingUri(file)));
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: false });
}

/** @param given a line of the runs view, or a folder; else the person picks */
export async function attach(given: unknown, { runs }: Services): Promise<void> {
  const [run] = await targetRuns([given], runs, {
    fits: ({ process }) => process?.reachable === true,
    title: vscode.l10n.t('Attach Debugger to Run'),
    none: vscode.l10n.t('No run is running that can be reached from here.'),
  });
  if (!run) return;
  await vscode.debug.startDebugging(undefined, { type: 'dmd', request: 'attach', name: run.name, run: run.folder });
}

/** All that the iteration would update. */
export async function skipUpdate(): Promise<void> {
  const { step } = z.object({ step: z.number() }).parse(await stopped().customRequest('dmdSkipUpdate', {}));
  vscode.window.setStatusBarMessage(vscode.l10n.t('Step {0} will leave the networks as they are.', step), 5000);
}

/** Says which operation first made a number that is not finite; the debug console has what went into it. */
export async function findOrigin(): Promise<void> {
  const session = stopped();
  const title = vscode.l10n.t('Looking for the first operation that made a NaN or an infinity');
  const answer = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    session.customRequest('dmdOrigin'),
  );
  vscode.window.showInformationMessage(z.object({ note: z.string() }).parse(answer).note);
}

/** The score inspector on the run as it stands. */
export async function inspectStop(): Promise<void> {
  const { folder } = z.object({ folder: z.string() }).parse(await stopped().customRequest('dmdPlace'));
  await vscode.commands.executeCommand('dmd.inspectScores', { folder, state: 'live' });
}

export async function rollBack(): Promise<void> {
  const session = stopped();
  const { steps } = z.object({ steps: z.array(z.number()) }).parse(await session.customRequest('dmdCheckpoints'));
  if (steps.length === 0) {
    vscode.window.showInformationMessage(vscode.l10n.t('This run has no checkpoint yet.'));
    return;
  }
  const items = steps.map((step) => ({ label: vscode.l10n.t('Step {0}', step), step }));
  const title = vscode.l10n.t('Roll Back to Checkpoint');
  const placeHolder = vscode.l10n.t('What was recorded since, and later checkpoints, are given up.');
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder });
  if (picked) await session.customRequest('dmdRollBack', { step: picked.step });
}

function stopped(): vscode.DebugSession {
  const session = vscode.debug.activeDebugSession;
  if (session?.type === 'dmd') return session;
  const message = vscode.l10n.t('no run is being debugged');
  throw new UserError('usage', message, vscode.l10n.t('Press F5 on a run config, or attach to a run.'));
}

function requireConfig(given: unknown): string | undefined {
  const file = openConfig(given);
  if (file === undefined) {
    vscode.window.showInformationMessage(vscode.l10n.t('Open a run config (a file NAME.dmd.json) first.'));
  }
  return file;
}
