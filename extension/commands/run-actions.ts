/** What can be done with runs. Each takes runs that it fits; what it throws is shown by its caller. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import {
  annotateRun,
  commandLine,
  commandRun,
  listModels,
  type RunRecord,
  resumeRun,
} from '../../backend/protocol/rpc/index.ts';
import { revealFile } from '../reveal.ts';
import type { Services } from '../services.ts';

/** Ends when the runs have done it. */
export async function command(
  { backend }: Services,
  runs: readonly RunRecord[],
  word: 'stop' | 'pause' | 'checkpoint',
): Promise<void> {
  await Promise.all(
    runs.map(async ({ folder, name }) => {
      const { step } = await backend.request(commandRun, { folder, command: word });
      if (word !== 'checkpoint') return;
      vscode.window.setStatusBarMessage(
        vscode.l10n.t('The checkpoint of step {0} of {1} is on the disk.', step, name),
        5000,
      );
    }),
  );
}

/** A paused run goes on; one that has no process gets another, from its latest sound checkpoint. */
export async function goOn({ backend }: Services, runs: readonly RunRecord[]): Promise<void> {
  for (const { folder, name, state } of runs) {
    if (state === 'paused') await backend.request(commandRun, { folder, command: 'resume' });
    else {
      const title = vscode.l10n.t('Resuming {0}', name);
      await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title, cancellable: true },
        (_, token) => backend.request(resumeRun, { folder, set: [] }, token),
      );
    }
  }
}

export async function rename({ backend }: Services, [run]: readonly RunRecord[]): Promise<void> {
  if (!run) return;
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Rename Run'),
    prompt: vscode.l10n.t('A name for people; the folder keeps its own. Empty: the name of the folder.'),
    value: run.name,
    validateInput: (text) => (text.trim().length > 200 ? vscode.l10n.t('At most 200 characters.') : undefined),
  });
  if (name !== undefined) await backend.request(annotateRun, { folder: run.folder, name: name.trim() });
}

export async function tag({ backend }: Services, [run]: readonly RunRecord[]): Promise<void> {
  if (!run) return;
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Tags of {0}', run.name),
    prompt: vscode.l10n.t('Separated by commas. Empty: none.'),
    value: run.tags.join(', '),
    validateInput: (value) => {
      const tags = splitTags(value);
      if (tags.length > 50) return vscode.l10n.t('At most 50 tags.');
      return tags.some(({ length }) => length > 60) ? vscode.l10n.t('At most 60 characters each.') : undefined;
    },
  });
  if (text !== undefined) await backend.request(annotateRun, { folder: run.folder, tags: splitTags(text) });
}

function splitTags(text: string): string[] {
  return [...new Set(text.split(',').map((part) => part.trim()))].filter((part) => part !== '');
}

export async function reveal([run]: readonly RunRecord[]): Promise<void> {
  if (run) await revealFile(run.folder);
}

/** The resolved config, as the run uses it. */
export async function openConfig([run]: readonly RunRecord[]): Promise<void> {
  if (run) await vscode.window.showTextDocument(vscode.Uri.file(join(run.folder, 'config.dmd.json')));
}

export async function copyCommandLine({ backend }: Services, [run]: readonly RunRecord[]): Promise<void> {
  if (!run) return;
  await vscode.env.clipboard.writeText(await backend.request(commandLine, { folder: run.folder }));
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied the command line of {0}', run.name), 3000);
}

/** With the weights that the run has written. */
export async function generateWith({ backend, roots }: Services, [run]: readonly RunRecord[]): Promise<void> {
  if (!run) return;
  const models = await backend.request(listModels, { roots: roots.list(), files: [] });
  const made = models.filter((model) => model.run === run.folder && model.problem === '');
  const model = made.find(({ role }) => role === 'generator') ?? made[0];
  if (model) await vscode.commands.executeCommand('dmd.openGeneratePanel', model.model);
  else {
    const message = vscode.l10n.t(
      '"{0}" has not written weights yet; it does so at every checkpoint and at its end.',
      run.name,
    );
    vscode.window.showInformationMessage(message);
  }
}
