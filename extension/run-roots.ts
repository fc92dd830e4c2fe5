/**
 * The folders in which run folders are looked for and made: the setting `dmd.runFolders` in every folder of the workspace,
 * and those outside it that runs were started in.
 */
import { resolve } from 'node:path';
import * as vscode from 'vscode';
import { askFolder } from './ask-folder.ts';
import { settingPath } from './setting-path.ts';

const rememberedKey = 'dmd.runFolders';

export class RunRoots {
  readonly #context: vscode.ExtensionContext;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(context: vscode.ExtensionContext) {
    this.#context = context;
    context.subscriptions.push(
      this.#changed,
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.#changed.fire()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('dmd.runFolders')) this.#changed.fire();
      }),
    );
  }

  /** Absolute, without repetition. A folder need not exist. */
  list(): string[] {
    const inWorkspace = (vscode.workspace.workspaceFolders ?? []).filter(onDisk).flatMap(runFolders);
    const remembered = this.#context.workspaceState.get<string[]>(rememberedKey, []);
    return [...new Set([...inWorkspace, ...remembered, ...(inWorkspace.length === 0 ? [this.#own()] : [])])];
  }

  /** Where a run of this config file goes: in the file's workspace folder, else in the first, else in the extension's own. */
  forNewRun(file?: vscode.Uri): string {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(onDisk);
    const folder = (file && vscode.workspace.getWorkspaceFolder(file)) ?? folders[0];
    return (folder && runFolders(folder)[0]) ?? this.#own();
  }

  /** `forNewRun`; where no file says which folder of the workspace, or one outside it, the person picks one of several. */
  async askForNewRun(file?: vscode.Uri): Promise<string> {
    if (file && vscode.workspace.getWorkspaceFolder(file)) return this.forNewRun(file);
    const folder = await askFolder(vscode.l10n.t('Folder for the new run'));
    return this.forNewRun(folder?.uri);
  }

  /** From now on runs in this folder are shown in this workspace. */
  async remember(root: string): Promise<void> {
    if (this.list().includes(root)) return;
    const remembered = this.#context.workspaceState.get<string[]>(rememberedKey, []);
    await this.#context.workspaceState.update(rememberedKey, [...remembered, root]);
    this.#changed.fire();
  }

  /** For an editor without a folder open. */
  #own(): string {
    return vscode.Uri.joinPath(this.#context.globalStorageUri, 'runs').fsPath;
  }
}

function onDisk(folder: vscode.WorkspaceFolder): boolean {
  return folder.uri.scheme === 'file';
}

const refused = new Set<string>();

/** What the setting names: relative to the workspace folder, or absolute. What is no path is said once, and left out. */
function runFolders(folder: vscode.WorkspaceFolder): string[] {
  const named = vscode.workspace.getConfiguration('dmd', folder.uri).get<unknown>('runFolders');
  const texts = Array.isArray(named) ? named.filter((name): name is string => typeof name === 'string') : [];
  const names = texts.map((name) => name.trim()).filter(Boolean);
  return names.flatMap((name) => {
    try {
      return resolve(folder.uri.fsPath, settingPath('dmd.runFolders', name, folder.uri.fsPath));
    } catch (error) {
      if (!refused.has(name)) void vscode.window.showWarningMessage((error as Error).message);
      refused.add(name);
      return [];
    }
  });
}
