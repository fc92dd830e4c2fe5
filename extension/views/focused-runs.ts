/** Which runs a key in the runs view is about. */
import * as vscode from 'vscode';
import type { RunNode } from './runs-tree.ts';

/**
 * The line that has the keyboard, or, where it is selected, all that are. The editor tells an extension which lines are selected
 * and not which one has the keyboard: that is the one whose selection its own command toggles, and toggles back.
 */
export async function focusedRuns(view: vscode.TreeView<RunNode>): Promise<readonly RunNode[]> {
  const selected = [...view.selection];
  await vscode.commands.executeCommand('list.toggleSelection');
  const toggled = [...view.selection];
  await vscode.commands.executeCommand('list.toggleSelection');
  const focused = toggled.find((node) => !selected.includes(node));
  return focused ? [focused] : selected;
}
