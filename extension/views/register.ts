/** The views of the activity bar. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { ModelsTree } from './models-tree.ts';
import { PreviewClicks } from './preview-clicks.ts';
import { type RunNode, RunsTree } from './runs-tree.ts';

/** @returns the runs view */
export function registerViews(context: vscode.ExtensionContext, services: Services): vscode.TreeView<RunNode> {
  const runs = new RunsTree(services);
  const runsView = vscode.window.createTreeView('dmd.runs', { treeDataProvider: runs, canSelectMany: true });
  runs.onMessage = (message) => {
    runsView.message = message;
  };
  const clicks = new PreviewClicks(() => runsView.selection);
  const models = new ModelsTree(services);
  const modelsView = vscode.window.createTreeView('dmd.models', { treeDataProvider: models });
  models.onMessage = (message) => {
    modelsView.message = message;
  };
  const refresh = () => {
    models.refresh();
    return runs.refresh();
  };
  context.subscriptions.push(
    runs,
    runsView,
    models,
    modelsView,
    vscode.commands.registerCommand('dmd.refreshRuns', refresh),
    vscode.commands.registerCommand('dmd.previewRun', (node?: RunNode) => clicks.open(node)),
    vscode.commands.registerCommand('dmd.refreshModels', () => models.refresh()),
    vscode.workspace.onDidGrantWorkspaceTrust(refresh),
  );
  return runsView;
}
