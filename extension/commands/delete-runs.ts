/**
 * Deletes runs, never one that a process works on. They go to a folder beside them first, from where Undo brings them back; once
 * the notification is closed, to the trash. Where there is no trash, as on most remote machines, that is for good, and said before.
 */
import { mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import type { RunRecord } from '../../backend/protocol/rpc/index.ts';
import type { Services } from '../services.ts';
import { isActive } from '../views/run-text.ts';
import { command } from './run-actions.ts';

/** In a folder of runs: what was deleted there, by when (milliseconds since 1970). No run is seen there. */
const deletedName = '.deleted';
/** Of a window that was closed before its notification: another window may still have one. */
const forgottenMilliseconds = 3_600_000;

interface Deleted {
  readonly folder: string;
  /** Where it lies now. */
  readonly aside: string;
}

export async function deleteRuns(services: Services, runs: readonly RunRecord[]): Promise<void> {
  const active = runs.filter(isActive);
  if (active.length > 0) return refuseActive(services, active);
  if (runs.length === 0 || !(await isSure(runs))) return;
  // It may have been resumed while the question was open.
  await services.runs.refresh();
  const resumed = runs.flatMap(({ folder }) => services.runs.get(folder) ?? []).filter(isActive);
  if (resumed.length > 0) return refuseActive(services, resumed);
  const deleted: Deleted[] = [];
  try {
    for (const { folder } of runs) deleted.push(await moveAside(folder));
  } finally {
    await services.runs.refresh();
    if (deleted.length > 0) offerUndo(services, runs[0]!.name, deleted);
  }
}

/** What earlier windows left, because they were closed before their notification. */
export async function finishDeletions({ roots, errors }: Pick<Services, 'roots' | 'errors'>): Promise<void> {
  for (const root of roots.list()) {
    const times = await readdir(join(root, deletedName)).catch(() => []); // nothing was deleted there
    for (const time of times.filter((name) => Number(name) < Date.now() - forgottenMilliseconds)) {
      const names = await readdir(join(root, deletedName, time)).catch(() => []);
      for (const name of names) {
        const deleted = { folder: join(root, name), aside: join(root, deletedName, time, name) };
        await finish(deleted).catch((error) => errors.log(error, 'Could not finish the deletion of a run'));
      }
    }
  }
}

const hasNoTrash = () => vscode.env.remoteName !== undefined;

async function isSure(runs: readonly RunRecord[]): Promise<boolean> {
  const [first] = runs;
  const folders = runs.map(({ folder }) => folder).join('\n');
  const remove = hasNoTrash() ? vscode.l10n.t('Delete') : vscode.l10n.t('Move to Trash');
  const question = hasNoTrash()
    ? runs.length === 1
      ? vscode.l10n.t('Delete the run "{0}"?', first!.name)
      : vscode.l10n.t('Delete {0} runs?', runs.length)
    : runs.length === 1
      ? vscode.l10n.t('Move the run "{0}" to the trash?', first!.name)
      : vscode.l10n.t('Move {0} runs to the trash?', runs.length);
  const detail = [
    vscode.l10n.t('With its checkpoints, weights and records:\n{0}', folders),
    hasNoTrash()
      ? vscode.l10n.t('This machine has no trash: it can be undone until you close the notification that follows.')
      : vscode.l10n.t('It can be undone in the notification that follows.'),
  ].join('\n\n');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) === remove;
}

/** On the same disk, at once, however large it is. */
async function moveAside(folder: string): Promise<Deleted> {
  const into = join(dirname(folder), deletedName, String(Date.now()));
  const aside = join(into, basename(folder));
  try {
    await mkdir(into, { recursive: true });
    await rename(folder, aside);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError('io', vscode.l10n.t('could not move {0}: {1}', folder, reason));
  }
  return { folder, aside };
}

function offerUndo(services: Services, name: string, deleted: readonly Deleted[]): void {
  const undo = vscode.l10n.t('Undo');
  const text =
    deleted.length === 1
      ? vscode.l10n.t('The run "{0}" was deleted.', name)
      : vscode.l10n.t('{0} runs were deleted.', deleted.length);
  vscode.window.showInformationMessage(text, undo).then((chosen) =>
    services.errors.guard(
      chosen === undo ? vscode.l10n.t('Could not undo the deletion') : vscode.l10n.t('Could not delete the run'),
      async () => {
        for (const one of deleted) await (chosen === undo ? moveBack(one) : finish(one));
        await services.runs.refresh();
      },
    ),
  );
}

async function moveBack({ folder, aside }: Deleted): Promise<void> {
  const there = await readdir(folder).catch(() => null);
  if (there !== null)
    throw new UserError('io', vscode.l10n.t('{0} is there again; the deleted one is {1}', folder, aside));
  await rename(aside, folder);
  await rmdir(dirname(aside)).catch(() => {}); // another one of the same moment is in it
  await rmdir(dirname(dirname(aside))).catch(() => {}); // more was deleted here
}

/** By its own place, so that the trash can put it back there. Where the trash cannot be used, deleting for good is a question. */
async function finish(deleted: Deleted): Promise<void> {
  const { folder } = deleted;
  await moveBack(deleted);
  const uri = vscode.Uri.file(folder);
  if (hasNoTrash()) return vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
  try {
    await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: true });
  } catch (error) {
    const remove = vscode.l10n.t('Delete Permanently');
    const reason = error instanceof Error ? error.message : String(error);
    const detail = vscode.l10n.t('{0}\nThe trash cannot be used: {1}', folder, reason);
    const question = vscode.l10n.t('Delete the run for good?');
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
  }
}

async function refuseActive(services: Services, active: readonly RunRecord[]): Promise<void> {
  const reachable = active.filter((run) => run.process?.reachable);
  const stop = vscode.l10n.t('Stop');
  const message = vscode.l10n.t(
    'A process works on "{0}". Stop the run before you delete it.',
    active.map(({ name }) => name).join('", "'),
  );
  const chosen = await vscode.window.showWarningMessage(
    message,
    { modal: true },
    ...(reachable.length > 0 ? [stop] : []),
  );
  if (chosen === stop) await command(services, reachable, 'stop');
}
