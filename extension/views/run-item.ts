/** A run as a line of the runs view. Its `contextValue` (package.json's menus read it) says what can be done with it. */
import * as vscode from 'vscode';
import type { RunRecord, ShownState } from '../../backend/protocol/rpc/index.ts';
import { runDescription, runSentence, runTooltip } from './run-text.ts';

/** [codicon, colour of the theme]; no colour where nothing calls for attention. */
const icons: Record<ShownState, readonly [icon: string, color?: string]> = {
  queued: ['clock'],
  running: ['pulse', 'testing.iconPassed'],
  paused: ['debug-pause', 'list.warningForeground'],
  stopping: ['loading~spin'],
  stopped: ['debug-stop'],
  finished: ['pass'],
  failed: ['error', 'list.errorForeground'],
  interrupted: ['debug-disconnect', 'list.warningForeground'],
  damaged: ['warning', 'list.errorForeground'],
};

export function stateIcon(state: ShownState): vscode.ThemeIcon {
  const [icon, color] = icons[state];
  return new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
}

/** `run.<state>`, with `.reachable` when its process takes commands. */
export function runContext({ state, process }: RunRecord): string {
  return `run.${state}${process?.reachable ? '.reachable' : ''}`;
}

export function runItem(run: RunRecord): vscode.TreeItem {
  const item = new vscode.TreeItem(run.name, vscode.TreeItemCollapsibleState.None);
  item.id = run.folder;
  item.description = runDescription(run);
  item.tooltip = runTooltip(run);
  item.iconPath = stateIcon(run.state);
  item.contextValue = runContext(run);
  item.accessibilityInformation = { label: runSentence(run) };
  item.command = { command: 'dmd.previewRun', title: vscode.l10n.t('Preview Run') };
  return item;
}
