/** The task type `dmd`: runs a config with `dmd distill` or `dmd teach` in a terminal, also from tasks.json. */
import * as vscode from 'vscode';
import type { Services } from '../services.ts';

export function registerTasks(context: vscode.ExtensionContext, services: Services): void {
  const load = () => import('./make-task.ts');
  const provider: vscode.TaskProvider = {
    provideTasks: async (token) => (await load()).tasksOfWorkspace(context.extensionUri, services, token),
    resolveTask: (task) =>
      services.errors.guard(vscode.l10n.t('Could not make the task "{0}"', task.name), async () =>
        (await load()).resolvedTask(task, context.extensionUri, services),
      ),
  };
  context.subscriptions.push(vscode.tasks.registerTaskProvider('dmd', provider));
}
