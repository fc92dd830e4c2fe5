/** Asks the person for runs, the newest first. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../../../backend/protocol/rpc/runs.ts';
import type { Runs } from '../../runs.ts';
import { monitorTexts } from './texts.ts';

/** @returns [] when the person changed their mind, or there is nothing to pick */
export async function pickRuns(runs: Runs, without: readonly string[]): Promise<string[]> {
  const records = (await runs.watch()).filter(({ folder }) => !without.includes(folder));
  if (records.length === 0) {
    const none =
      without.length > 0
        ? vscode.l10n.t('There is no other run to compare with.')
        : vscode.l10n.t('There are no runs yet. Start one from a *.dmd.json file or from the DMD view.');
    // Not waited for: it may stay for hours in the notification centre, and whoever asked would wait with it.
    void vscode.window.showInformationMessage(none);
    return [];
  }
  const picked = await vscode.window.showQuickPick(records.map(itemOf), {
    canPickMany: true,
    placeHolder: vscode.l10n.t('Runs to show'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.map(({ folder }) => folder) ?? [];
}

function itemOf({ folder, name, state, step, iterations, tags }: RunRecord) {
  const texts = monitorTexts();
  const key = `state${state[0]!.toUpperCase()}${state.slice(1)}` as keyof typeof texts;
  const description = [texts[key], vscode.l10n.t('step {0} of {1}', step, iterations), ...tags].join(' · ');
  return { label: name, description, ...(basename(folder) === name ? {} : { detail: folder }), folder };
}
