/**
 * The open monitors: one per set of runs, and at most one preview, which shows whatever run was clicked last until it is kept, as
 * editors of files do. After a reload of the window the editor brings a monitor back when its tab is looked at; until then it
 * is known by what was saved.
 */
import * as vscode from 'vscode';
import { monitorFoldersSchema } from '../../../backend/protocol/panels/monitor.ts';
import type { Services } from '../../services.ts';
import { OpenPanels } from '../open-panels.ts';
import { MonitorPanel } from './panel.ts';
import { pickRuns } from './pick-runs.ts';
import { SavedMonitors, sameRuns } from './saved-monitors.ts';
import { showMonitorTab } from './tabs.ts';
import { monitorViewType } from './view-type.ts';

/** For the entry in a monitor's title bar. */
const previewKey = 'dmd.monitorIsPreview';

export class MonitorPanels {
  readonly #services: Services;
  readonly #charts: vscode.Memento;
  readonly #open = new OpenPanels<MonitorPanel>();
  readonly #saved: SavedMonitors;
  #preview: MonitorPanel | null = null;

  /**
   * @param memory of the workspace
   * @param charts of all windows: how charts were last looked at
   */
  constructor(services: Services, memory: vscode.Memento, charts: vscode.Memento) {
    this.#services = services;
    this.#saved = new SavedMonitors(memory);
    this.#charts = charts;
  }

  /**
   * Shows runs.
   * @param what a run folder (path, URI or an item of the runs view), several of them, or nothing: the person picks. Of an object
   *   with the folder of one run, `preview: true` shows it in the monitor that comes and goes, `stopped` leads to that step
   */
  async openFor(what: readonly unknown[]): Promise<void> {
    const named = foldersOf(what);
    const folders = named.length > 0 ? named : await pickRuns(this.#services.runs, []);
    if (folders.length === 0) return;
    const { preview, stopped } = wishesOf(what[0]);
    const monitor = await this.#monitorOf(folders, preview);
    if (monitor && stopped !== undefined) monitor.showStopped(folders[0]!, stopped);
  }

  /** After a reload of the window; `state` is what the page saved. */
  async restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const saved = monitorFoldersSchema.safeParse(state);
    if (!saved.success || saved.data.folders.length === 0) return panel.dispose();
    const { folders } = saved.data;
    const isPreview = this.#saved.take(folders)?.preview === true && this.#preview === null;
    const monitor = this.#add(panel, folders);
    if (isPreview) this.#setPreview(monitor);
  }

  /** The preview that is looked at stays; the next run that is clicked gets another. */
  keep(): void {
    if (this.#preview?.page.active) this.#setPreview(null);
  }

  /** Undefined for a tab that the editor did not bring back. */
  async #monitorOf(folders: readonly string[], preview: boolean): Promise<MonitorPanel | undefined> {
    const shown = this.#showing(folders);
    if (shown) {
      if (shown === this.#preview && !preview) this.#setPreview(null);
      shown.page.reveal({ preserveFocus: preview });
      return shown;
    }
    const saved = this.#saved.find(folders);
    if (saved && (await showMonitorTab(saved.title, this.#open.all))) {
      const restored = await this.#restored(folders);
      if (restored === this.#preview && !preview) this.#setPreview(null);
      return restored;
    }
    this.#saved.take(folders); // its tab was closed
    if (preview && this.#preview) {
      this.#preview.show(folders);
      this.#preview.page.reveal({ preserveFocus: true });
      return this.#preview;
    }
    const where = { viewColumn: vscode.ViewColumn.Active, preserveFocus: preview };
    const monitor = this.#add(vscode.window.createWebviewPanel(monitorViewType, '', where, {}), folders);
    if (preview && previewsEditors()) this.#setPreview(monitor);
    return monitor;
  }

  #showing(folders: readonly string[]): MonitorPanel | undefined {
    return this.#open.find((monitor) => sameRuns(monitor.folders, folders));
  }

  /** The editor calls `restore` for a tab that is looked at for the first time. */
  async #restored(folders: readonly string[]): Promise<MonitorPanel | undefined> {
    const end = Date.now() + 10_000;
    while (!this.#showing(folders) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    return this.#showing(folders);
  }

  #add(panel: vscode.WebviewPanel, folders: readonly string[]): MonitorPanel {
    const monitor = new MonitorPanel(panel, folders, this.#services, this.#charts);
    this.#open.add(monitor);
    monitor.onDidChange(() => {
      // Runs were laid over the one that was clicked: somebody works with it.
      if (monitor === this.#preview && monitor.folders.length > 1) this.#setPreview(null);
      this.#save();
    });
    monitor.page.onLooked(() => this.#showPreview());
    monitor.page.onClosed(() => {
      if (monitor === this.#preview) this.#setPreview(null);
      this.#save();
    });
    this.#save();
    return monitor;
  }

  #setPreview(monitor: MonitorPanel | null): void {
    this.#preview = monitor;
    this.#showPreview();
    this.#save();
  }

  #showPreview(): void {
    vscode.commands.executeCommand('setContext', previewKey, this.#preview?.page.active === true);
  }

  #save(): void {
    const saved = (monitor: MonitorPanel) => {
      const { page, folders } = monitor;
      return { title: page.title, folders: [...folders], preview: monitor === this.#preview };
    };
    this.#saved.save(this.#open.all.map(saved));
  }
}

/** Whoever wants every file in a tab of its own wants that of runs too. */
function previewsEditors(): boolean {
  return vscode.workspace.getConfiguration('workbench.editor').get<boolean>('enablePreview', true);
}

function wishesOf(what: unknown): { preview: boolean; stopped: number | undefined } {
  if (typeof what !== 'object' || what === null) return { preview: false, stopped: undefined };
  const { preview, stopped } = what as { preview?: unknown; stopped?: unknown };
  return { preview: preview === true, stopped: typeof stopped === 'number' ? stopped : undefined };
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
