/**
 * One item in the status bar: the newest run that goes on and how many more, and what failed without anybody having looked at
 * it. Nothing while there is neither.
 */
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../backend/protocol/rpc/index.ts';
import type { Services } from './services.ts';
import { isActive, progressText, runSentence, runTooltip, stateName } from './views/run-text.ts';

export function registerStatusBar(context: vscode.ExtensionContext, services: Services): void {
  const { runs, news, errors } = services;
  const item = vscode.window.createStatusBarItem('dmd.status', vscode.StatusBarAlignment.Left, 0);
  item.name = vscode.l10n.t('DMD Runs');
  item.command = 'dmd.showActiveRun';
  const failed = () => runs.list().filter(({ folder }) => news.unseen.has(folder));
  const update = () => {
    const active = runs.list().filter(isActive);
    const failures = failed();
    const [newest] = [...active, ...failures];
    if (!newest) return item.hide();
    item.text = statusText(newest, active.length - 1, failures.length);
    item.tooltip = runTooltip(newest);
    item.backgroundColor = failures.length > 0 ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    item.accessibilityInformation = { label: [...active, ...failures].map(runSentence).join('; ') };
    item.show();
  };
  context.subscriptions.push(
    item,
    runs.onDidChange(update),
    news.onDidChange(update),
    vscode.commands.registerCommand('dmd.showActiveRun', () =>
      errors.guard(vscode.l10n.t('Could not show the run'), async () => {
        const { targetRuns } = await import('./commands/run-targets.ts');
        const isShown = (run: RunRecord) => isActive(run) || news.unseen.has(run.folder);
        const shown = (await runs.watch()).filter(isShown);
        const [run] =
          shown.length === 1
            ? shown
            : await targetRuns([], runs, {
                fits: isShown,
                title: vscode.l10n.t('Active Runs'),
                none: vscode.l10n.t('Nothing runs.'),
              });
        if (run) await vscode.commands.executeCommand('dmd.openMonitor', run.folder);
      }),
    ),
  );
  watchIfThereIsNews(services).catch((error) => errors.log(error, 'Could not list the runs'));
}

/** After a reload of the window or a night; else the backend is not started before somebody asks for runs. */
async function watchIfThereIsNews({ roots, runs, news }: Services): Promise<void> {
  if (!vscode.workspace.isTrusted) return;
  const found = await Promise.all([...roots.list().map(holdsLock), news.mayHaveMore(roots.list())]);
  if (found.includes(true)) await runs.watch();
}

/** @param others that go on beside it @param failures that nobody has looked at; with them and nothing that goes on, the run is one */
export function statusText(run: RunRecord, others: number, failures = 0): string {
  const name = shortened(run.name.replaceAll('$(', '('));
  const more = (count: number) => (count > 0 ? ` +${count}` : '');
  if (!isActive(run)) return `$(error) ${name} ${stateName(run.state)}${more(failures - 1)}`;
  const icon = run.state === 'paused' ? 'debug-pause' : 'pulse';
  const failed = failures > 0 ? ` $(error) ${failures}` : '';
  return `$(${icon}) ${name} ${progressText(run)}`.trimEnd() + more(others) + failed;
}

/** A status bar is shared; the tooltip has the whole name. */
function shortened(name: string): string {
  return name.length > 24 ? `${name.slice(0, 23).trimEnd()}…` : name;
}

/** A process may work on one of the runs in this folder. */
async function holdsLock(root: string): Promise<boolean> {
  const names = await readdir(root).catch(() => []); // there is no such folder yet
  const locks = await Promise.all(
    names.map((name) =>
      access(join(root, name, 'run.lock')).then(
        () => true,
        () => false,
      ),
    ),
  );
  return locks.includes(true);
}
