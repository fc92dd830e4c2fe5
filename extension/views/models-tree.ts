/** The models view: built-in ones, those that runs have written, and files that the person imported or exported. */
import * as vscode from 'vscode';
import type { ModelInfo } from '../../backend/protocol/rpc/index.ts';
import { errorText } from '../error-text.ts';
import { isCancelled } from '../errors.ts';
import type { Services } from '../services.ts';
import { modelItem, originName } from './model-item.ts';

export type ModelNode = { readonly origin: ModelInfo['origin'] } | { readonly info: ModelInfo };

const origins: readonly ModelInfo['origin'][] = ['builtin', 'run', 'imported', 'exported'];

export class ModelsTree implements vscode.TreeDataProvider<ModelNode> {
  readonly #services: Services;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[];
  /** Runs that had ended when the models were listed: one more of them may have written weights. */
  #ended = 0;
  #models: readonly ModelInfo[] = [];
  /** Above the list; '' for nothing. */
  onMessage: (message: string) => void = () => {};

  constructor(services: Services) {
    this.#services = services;
    this.#subscriptions = [
      services.modelFiles.onDidChange(() => this.refresh()),
      services.backend.onDidStart(() => this.#models.length > 0 || this.refresh()),
      services.runs.onDidChange(() => this.#endedRuns() === this.#ended || this.refresh()),
    ];
  }

  getTreeItem(node: ModelNode): vscode.TreeItem {
    if ('info' in node) return modelItem(node.info);
    const item = new vscode.TreeItem(originName(node.origin), vscode.TreeItemCollapsibleState.Expanded);
    item.id = `origin:${node.origin}`;
    return item;
  }

  async getChildren(node?: ModelNode): Promise<ModelNode[]> {
    if (!vscode.workspace.isTrusted || (node && 'info' in node)) return [];
    if (node) return this.#models.filter(({ origin }) => origin === node.origin).map((info) => ({ info }));
    try {
      const { listModels } = await import('../../backend/protocol/rpc/index.ts');
      const { backend, roots, modelFiles } = this.#services;
      this.#ended = this.#endedRuns();
      this.#models = await backend.request(listModels, { roots: roots.list(), files: modelFiles.paths() });
      this.#show('loaded', '');
    } catch (error) {
      this.#models = [];
      this.#services.errors.log(error, 'Could not list the models');
      const what = vscode.l10n.t('Could not list the models');
      this.#show('failed', isCancelled(error) ? '' : errorText(error, what).message);
    }
    return origins
      .filter((origin) => this.#models.some((info) => info.origin === origin))
      .map((origin) => ({ origin }));
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  #endedRuns(): number {
    return this.#services.runs.list().filter(({ state }) => state === 'finished' || state === 'stopped').length;
  }

  #show(state: 'loaded' | 'failed', message: string): void {
    vscode.commands.executeCommand('setContext', 'dmd.models', state); // for viewsWelcome
    this.onMessage(message);
  }
}
