/** Makes tasks that run `dmd` on the Node of the backend's choosing. Loaded when tasks are listed or run. */
import { homedir } from 'node:os';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { expandPath } from '../../backend/protocol/path-text.ts';
import { editorNode } from '../backend/editor-node.ts';
import type { Services } from '../services.ts';
import { type ConfigHead, configHead } from './config-head.ts';
import { type DmdTask, readTask, taskArguments } from './task-arguments.ts';

const mostConfigs = 200;

/** One task for every config of the workspace; copies that run folders keep are none. */
export async function tasksOfWorkspace(
  extensionUri: vscode.Uri,
  services: Services,
  token: vscode.CancellationToken,
): Promise<vscode.Task[]> {
  const found = await vscode.workspace.findFiles('**/*.dmd.json', '**/node_modules/**', mostConfigs, token);
  const roots = services.roots.list();
  const configs = found.filter(
    ({ fsPath, path }) => !path.includes('${') && !roots.some((root) => inside(root, fsPath)),
  );
  const tasks = configs.map(async (uri) => {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    if (!folder) return [];
    const config = relative(folder.uri.fsPath, uri.fsPath).split(sep).join('/');
    const definition = { type: 'dmd', config };
    return [await makeTask({ definition, name: config, scope: folder, extensionUri, services })];
  });
  return (await Promise.all(tasks)).flat();
}

/** A task from tasks.json, which says what but not how. Throws a UserError for one that makes no sense. */
export function resolvedTask(
  { definition, name, scope }: vscode.Task,
  extensionUri: vscode.Uri,
  services: Services,
): Promise<vscode.Task> {
  return makeTask({ definition, name, scope: scope ?? vscode.TaskScope.Workspace, extensionUri, services });
}

interface Making {
  readonly definition: vscode.TaskDefinition;
  readonly name: string;
  readonly scope: vscode.WorkspaceFolder | vscode.TaskScope.Global | vscode.TaskScope.Workspace;
  readonly extensionUri: vscode.Uri;
  readonly services: Services;
}

async function makeTask({ definition, name, scope, extensionUri, services }: Making): Promise<vscode.Task> {
  const task = readTask(definition);
  if (typeof task === 'string') {
    throw new UserError('config', task, vscode.l10n.t('Correct the task in tasks.json.'));
  }
  const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
  const cwd = folder?.uri.fsPath;
  const head = await headOf(task, cwd ?? '');
  const out = head.hasOut ? undefined : services.roots.forNewRun(folder?.uri);
  const command = vscode.Uri.joinPath(extensionUri, 'dist', 'dmd.js').fsPath;
  const { path, environment } = await editorNode();
  // A process, not a shell line: nothing in the paths can be read as a command.
  const execution = new vscode.ProcessExecution(path, [command, ...taskArguments(task, head.kind, out)], {
    env: { ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const made = new vscode.Task(definition, scope, name, 'dmd', execution, '$dmd');
  made.detail = vscode.l10n.t('A training run in a terminal');
  return made;
}

/** The kind that the task names goes before the one that its config has. */
async function headOf({ config, resume, kind }: DmdTask, cwd: string): Promise<ConfigHead> {
  const source = config ?? (resume === undefined ? undefined : `${resume}/config.dmd.json`);
  if (source === undefined) return { kind: kind ?? 'distill', hasOut: false };
  // The editor replaces variables when the task runs; this one is needed before.
  const file = source.replace(/^\$\{workspaceFolder\}/, () => cwd);
  const head = await configHead(resolve(cwd, expandPath(file, homedir())));
  return { ...head, kind: kind ?? head.kind };
}

function inside(root: string, file: string): boolean {
  const way = relative(root, file);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}
