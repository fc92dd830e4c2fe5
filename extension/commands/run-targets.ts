/** Which runs a command is about: those of the view's menu, the one named by another part, or one that the person picks. */
import * as vscode from 'vscode';
import type { RunRecord } from '../../backend/protocol/rpc/index.ts';
import type { Runs } from '../runs.ts';
import { stateIcon } from '../views/run-item.ts';
import { runDescription } from '../views/run-text.ts';

export interface TargetQuestion {
  /** Which runs the command makes sense for. */
  readonly fits: (run: RunRecord) => boolean;
  readonly title: string;
  /** When there is none. */
  readonly none: string;
  readonly many?: boolean;
}

/**
 * @param args of the command: a tree element or a run folder, then, of a menu, all that is selected. What is not in the list of
 *   runs is not a run.
 * @returns [] when the person picked none, or was told that there is none.
 */
export async function targetRuns(args: readonly unknown[], runs: Runs, question: TargetQuestion): Promise<RunRecord[]> {
  const [one, all] = args;
  const named = (Array.isArray(all) && all.length > 0 ? all : [one]).map(folderOf).filter((folder) => folder !== null);
  if (named.length > 0) {
    await runs.watch();
    const known = named.map((folder) => runs.get(folder)).filter((run) => run !== undefined);
    const fitting = known.filter(question.fits);
    if (fitting.length === 0) vscode.window.showInformationMessage(question.none);
    return fitting;
  }
  const fitting = (await runs.watch()).filter(question.fits);
  if (fitting.length === 0) {
    vscode.window.showInformationMessage(question.none);
    return [];
  }
  const items = fitting.map((run) => ({
    label: run.name,
    description: runDescription(run),
    iconPath: stateIcon(run.state),
    run,
  }));
  const options = { title: question.title, matchOnDescription: true };
  if (question.many) {
    const picked = await vscode.window.showQuickPick(items, { ...options, canPickMany: true });
    return (picked ?? []).map(({ run }) => run);
  }
  const picked = await vscode.window.showQuickPick(items, options);
  return picked ? [picked.run] : [];
}

function folderOf(argument: unknown): string | null {
  if (typeof argument === 'string') return argument;
  if (typeof argument !== 'object' || argument === null || !('folder' in argument)) return null;
  return typeof argument.folder === 'string' ? argument.folder : null;
}
