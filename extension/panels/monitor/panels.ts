/** The open monitors: one per set of runs. */
import * as vscode from 'vscode';
import { monitorFoldersSchema } from '../../../backend/protocol/panels/monitor.ts';
import type { Services } from '../../services.ts';
import { webviewOptions } from '../webview-html.ts';
import { MonitorPanel } from './panel.ts';
import { pickRuns } from './pick-runs.ts';
import { monitorViewType } from './view-type.ts';

export class MonitorPanels {
  readonly #context: vscode.ExtensionContext;
  readonly #services: Services;
  readonly #open = new Set<MonitorPanel>();

  constructor(context: vscode.ExtensionContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  /**
   * Shows runs.
   * @param what a run folder (path, URI or an item of the runs view), several of them, or nothing: the person picks
   */
  async openFor(what: readonly unknown[]): Promise<void> {
    const named = foldersOf(what);
    const folders = named.length > 0 ? named : await pickRuns(this.#services.runs, []);
    if (folders.length === 0) return;
    const shown = [...this.#open].find((monitor) => sameSet(monitor.folders, folders));
    if (shown) return shown.reveal();
    const panel = vscode.window.createWebviewPanel(monitorViewType, '', vscode.ViewColumn.Active, {});
    this.#add(panel, folders);
  }

  /** After a reload of the window; `state` is what the page saved. */
  async restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const saved = monitorFoldersSchema.safeParse(state);
    if (saved.success && saved.data.folders.length > 0) return this.#add(panel, saved.data.folders);
    panel.dispose();
  }

  #add(panel: vscode.WebviewPanel, folders: readonly string[]): void {
    panel.webview.options = webviewOptions(this.#context.extensionUri);
    const monitor = new MonitorPanel(panel, folders, this.#context, this.#services);
    this.#open.add(monitor);
    panel.onDidDispose(() => this.#open.delete(monitor));
  }
}

/** Commands are called with a path, with an item of a tree, or with an item and all that are selected. */
export function foldersOf(what: readonly unknown[]): string[] {
  const [first, second] = what;
  const named = Array.isArray(second) ? second : Array.isArray(first) ? first : [first];
  return [...new Set(named.flatMap(folderOf))];
}

function folderOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  const { folder, fsPath, record } = value as { folder?: unknown; fsPath?: unknown; record?: unknown };
  return folderOf(folder ?? fsPath ?? record);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((folder) => b.includes(folder));
}
