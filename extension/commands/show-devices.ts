/** The command "DMD: Show Version and Devices": runs `dmd devices` where its output stays readable. */
import * as vscode from 'vscode';

/** Shows what `dmd devices` prints as a task, whose terminal stays open after the process has ended. */
export async function showDevices(context: vscode.ExtensionContext): Promise<void> {
  const version: string = context.extension.packageJSON.version;
  const command = vscode.Uri.joinPath(context.extensionUri, 'dist', 'dmd.js').fsPath;
  const task = new vscode.Task(
    { type: 'process' },
    vscode.TaskScope.Workspace,
    `devices (version ${version})`,
    'DMD',
    // A process, not a shell line: nothing in the paths can be read as a command.
    new vscode.ProcessExecution(nodePath(), [command, 'devices']),
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated };
  try {
    await vscode.tasks.executeTask(task);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await vscode.window.showErrorMessage(
      `DMD: could not start ${nodePath()}: ${reason}. Check the setting dmd.nodePath.`,
    );
  }
}

/** The Node that runs the backend: the person's choice, or the one on the PATH. */
function nodePath(): string {
  return vscode.workspace.getConfiguration('dmd').get<string>('nodePath')?.trim() || 'node';
}
