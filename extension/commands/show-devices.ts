/** The command "DMD: Show Version and Devices": runs `dmd devices` where its output stays readable. */
import * as vscode from 'vscode';
import { editorNode } from '../backend/editor-node.ts';
import type { Services } from '../services.ts';

/** Shows what `dmd devices` prints as a task, whose terminal stays open after the process has ended. */
export function showDevices(context: vscode.ExtensionContext, { errors }: Services): Promise<void> {
  return errors.guard(vscode.l10n.t('Could not show the devices'), async () => {
    const version: string = context.extension.packageJSON.version;
    const command = vscode.Uri.joinPath(context.extensionUri, 'dist', 'dmd.js').fsPath;
    const node = await editorNode();
    const task = new vscode.Task(
      { type: 'process' },
      vscode.TaskScope.Workspace,
      `devices (version ${version})`,
      'DMD',
      // A process, not a shell line: nothing in the paths can be read as a command.
      new vscode.ProcessExecution(node.path, [command, 'devices'], { env: { ...node.environment } }),
    );
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated };
    await vscode.tasks.executeTask(task);
  });
}
