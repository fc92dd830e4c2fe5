/** The open monitors: one per set of runs. */
import * as vscode from 'vscode';
import { monitorFoldersSchema } from '../../../backend/protocol/panels/monitor.ts';
import type { Services } from '../../services.ts';
import { OpenPanels } from '../open-panels.ts';
import { MonitorPanel } from './panel.ts';
import { pickRuns } from './pick-runs.ts';
import { monitorViewType } from './view-type.ts';

export class MonitorPanels {
  readonly #services: Services;
  readonly #open = new OpenPanels<MonitorPanel>();

  constructor(services: Services) {
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
    const shown = this.#open.find((monitor) => sameSet(monitor.folders, folders));
    if (shown) return shown.page.reveal();
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
    this.#open.add(new MonitorPanel(panel, folders, this.#services));
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
