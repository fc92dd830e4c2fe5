/** The runs view: the list of `Runs` as a tree of one level, and what it says when it is empty. */
import * as vscode from 'vscode';
import { errorText } from '../error-text.ts';
import { isCancelled } from '../errors.ts';
import type { Services } from '../services.ts';
import { runItem } from './run-item.ts';

/** An element of the tree; the same object for the same run, so that the selection stays. */
export interface RunNode {
  readonly folder: string;
}

const untrusted = () => vscode.l10n.t('This workspace is not trusted: its runs can be looked at, and that is all.');

export class RunsTree implements vscode.TreeDataProvider<RunNode> {
  readonly #services: Services;
  readonly #nodes = new Map<string, RunNode>();
  readonly #changed = new vscode.EventEmitter<RunNode | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  /** Above the list; '' for nothing. */
  onMessage: (message: string) => void = () => {};

  constructor(services: Services) {
    this.#services = services;
    services.runs.onDidChange((run) => this.#changed.fire(run && this.#nodes.get(run.folder)));
  }

  getTreeItem({ folder }: RunNode): vscode.TreeItem {
    const run = this.#services.runs.get(folder);
    return run ? runItem(run) : new vscode.TreeItem(folder);
  }

  async getChildren(node?: RunNode): Promise<RunNode[]> {
    if (node) return [];
    try {
      const runs = await this.#services.runs.watch();
      this.#show('loaded', runs.length > 0 && !vscode.workspace.isTrusted ? untrusted() : '');
      const known = new Map(this.#nodes);
      this.#nodes.clear();
      for (const { folder } of runs) this.#nodes.set(folder, known.get(folder) ?? { folder });
      return [...this.#nodes.values()];
    } catch (error) {
      this.#services.errors.log(error, 'Could not list the runs');
      this.#show(
        'failed',
        isCancelled(error) ? '' : errorText(error, vscode.l10n.t('Could not list the runs')).message,
      );
      return [];
    }
  }

  getParent(): undefined {
    return undefined;
  }

  /** Asks the backend anew, also after an error. */
  async refresh(): Promise<void> {
    await this.#services.runs.refresh().catch(() => {}); // getChildren asks again, and says why not
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #show(state: 'loaded' | 'failed', message: string): void {
    vscode.commands.executeCommand('setContext', 'dmd.runs', state); // for viewsWelcome
    this.onMessage(message);
  }
}
