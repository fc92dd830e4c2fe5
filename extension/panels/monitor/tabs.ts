/** Tabs of monitors that the editor brings back only when they are looked at. */
import * as vscode from 'vscode';
import type { Panel } from '../open-panels.ts';
import { monitorViewType } from './view-type.ts';

/** There is no other way to a tab than through its group: these are the editor's own commands. */
const groups = ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh', 'Eighth'];

/**
 * Looks at the tab with this title that is none of the monitors which are there.
 * @returns false where there is no such tab
 */
export async function showMonitorTab(title: string, there: readonly Panel[]): Promise<boolean> {
  if (there.some(({ page }) => page.title === title)) return false; // which of the two could not be told
  for (const group of vscode.window.tabGroups.all) {
    const index = group.tabs.findIndex(({ label, input }) => label === title && isMonitor(input));
    const name = groups[group.viewColumn - 1];
    if (index < 0 || name === undefined) continue;
    await vscode.commands.executeCommand(`workbench.action.focus${name}EditorGroup`);
    await vscode.commands.executeCommand('workbench.action.openEditorAtIndex', index);
    return true;
  }
  return false;
}

/** The editor puts a prefix of its own before the type of a webview. */
function isMonitor(input: unknown): boolean {
  const { viewType } = (input ?? {}) as { viewType?: unknown };
  return typeof viewType === 'string' && (viewType === monitorViewType || viewType.endsWith(`-${monitorViewType}`));
}
