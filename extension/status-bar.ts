/** One item in the status bar while something runs: the newest run, and how many more. */
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../backend/protocol/rpc/index.ts';
import type { Services } from './services.ts';
import { isActive, progressText, runSentence, runTooltip } from './views/run-text.ts';

export function registerStatusBar(context: vscode.ExtensionContext, services: Services): void {
  const { runs, errors } = services;
  const item = vscode.window.createStatusBarItem('dmd.status', vscode.StatusBarAlignment.Left, 0);
  item.name = vscode.l10n.t('DMD Runs');
  item.command = 'dmd.showActiveRun';
  const update = () => {
    const active = runs.list().filter(isActive);
    const [newest] = active;
    if (!newest) return item.hide();
    item.text = statusText(newest, active.length - 1);
    item.tooltip = runTooltip(newest);
    item.accessibilityInformation = { label: active.map(runSentence).join('; ') };
    item.show();
  };
  context.subscriptions.push(
    item,
    runs.onDidChange(update),
    vscode.commands.registerCommand('dmd.showActiveRun', () =>
      errors.guard(vscode.l10n.t('Could not show the run'), async () => {
        const { targetRuns } = await import('./commands/run-targets.ts');
        const active = (await runs.watch()).filter(isActive);
        const [run] =
          active.length === 1
            ? active
            : await targetRuns([], runs, {
                fits: isActive,
                title: vscode.l10n.t('Runs That Go On'),
                none: vscode.l10n.t('Nothing runs.'),
              });
        if (run) await vscode.commands.executeCommand('dmd.openMonitor', run.folder);
      }),
    ),
  );
  watchIfSomethingRuns(services).catch((error) => errors.log(error, 'Could not list the runs'));
}

/** After a reload of the window; else the backend is not started before somebody asks for runs. */
async function watchIfSomethingRuns({ roots, runs }: Services): Promise<void> {
  if (!vscode.workspace.isTrusted) return;
  const found = await Promise.all(roots.list().map(holdsLock));
  if (found.includes(true)) await runs.watch();
}

export function statusText(run: RunRecord, others: number): string {
  const icon = run.state === 'paused' ? 'debug-pause' : 'pulse';
  const more = others > 0 ? ` +${others}` : '';
  return `$(${icon}) ${shortened(run.name.replaceAll('$(', '('))} ${progressText(run)}${more}`.trimEnd();
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
