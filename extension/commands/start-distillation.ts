/** The command "DMD: Start Distillation...": picks a preset or a config of the workspace, and starts a run of it. */
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { listPresets } from '../../backend/protocol/rpc/index.ts';
import { nameFromFile } from '../config/config-files.ts';
import { beginRun, startRunFromFile } from '../config/start-run.ts';
import type { Services } from '../services.ts';

interface Choice extends vscode.QuickPickItem {
  readonly start?: () => Promise<void>;
}

/** More configs than anybody scrolls through. */
const mostFiles = 200;

/** @param teacher replaces the config's, as in `models/list` */
export async function startDistillation(services: Services, teacher: string | null = null): Promise<void> {
  const picked = await vscode.window.showQuickPick(choices(services, teacher), {
    title: teacher === null ? vscode.l10n.t('Start Distillation') : vscode.l10n.t('Distill This Teacher'),
    placeHolder: vscode.l10n.t('Which settings should the run have?'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  await picked?.start?.();
}

async function choices(services: Services, teacher: string | null): Promise<Choice[]> {
  const [presets, files] = await Promise.all([services.backend.request(listPresets, {}), configFiles()]);
  const set = teacher === null ? [] : [`teacher=${JSON.stringify(teacher)}`];
  const separator = (label: string): Choice => ({ label, kind: vscode.QuickPickItemKind.Separator });
  // A mixture is its own teacher.
  const takes = (text: string) => !text.includes('builtin:mixture');
  const wanted = presets.filter(({ kind, text }) => teacher === null || (kind === 'distill' && takes(text)));
  return [
    ...(files.length > 0 ? [separator(vscode.l10n.t('Configs of the Workspace'))] : []),
    ...files.map((uri) => ({
      label: `$(json) ${nameFromFile(uri.path)}`,
      description: vscode.workspace.asRelativePath(uri),
      start: () => startRunFromFile(uri, services, set),
    })),
    separator(vscode.l10n.t('Presets')),
    ...wanted.map(({ name, kind, title, detail, text }) => ({
      label: `$(${kind === 'distill' ? 'beaker' : 'mortar-board'}) ${title}`,
      description: kind === 'distill' ? vscode.l10n.t('distillation') : vscode.l10n.t('teacher'),
      detail,
      start: () => {
        const root = services.roots.forNewRun();
        const file = join(dirname(root), `${name}.dmd.json`); // where it would be; nothing is written there
        return beginRun({ title: vscode.l10n.t('Starting {0}', title), text, file, root, set }, services);
      },
    })),
  ];
}

/** Those that people wrote: a run's own config is in its run folder, beside run.json. */
async function configFiles(): Promise<vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(
    '**/*.dmd.json',
    '**/{node_modules,config.dmd.json,config.until-*}',
    mostFiles,
  );
  return found.sort((a, b) => a.path.localeCompare(b.path));
}
