/** A monitor as a person has it, without the editor: the real page in a browser, the real host code, the server's answers. */
import type { Browser } from 'playwright-core';
import type { PanelPage } from '../harness.ts';
import { type HostCode, HostPanel, hostServices } from '../host-panel.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';
import type { BackendInProcess } from './backend.ts';

export interface HostModule extends HostCode {
  MonitorPanels: new (
    services: object,
    memory: object,
    charts: object,
  ) => {
    openFor(what: readonly unknown[]): Promise<void>;
    restore(panel: object, state: unknown): Promise<void>;
  };
  monitorTexts(): Record<string, string>;
}

let hostModule: Promise<HostModule> | undefined;

export function hostCode(): Promise<HostModule> {
  hostModule ??= importWithVscode<HostModule>('test/webview/monitor/host-entry.ts');
  return hostModule;
}

export interface MonitorOptions {
  readonly browser: Browser;
  readonly backend: BackendInProcess;
  readonly folders: readonly string[];
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  /** What an earlier page saved. */
  readonly state?: unknown;
  /** What the editor keeps for all windows. */
  readonly memory?: Map<string, unknown>;
}

export interface OpenMonitor extends PanelPage {
  readonly host: HostModule;
  readonly panel: { title: string };
  /** Bytes that came to the page so far, as they cross in the editor: typed arrays as they are, the rest as text. */
  sent(): number;
  /** As when another tab covers it: the page goes, and what it saved stays. */
  hide(): Promise<void>;
  /** As when it is looked at again: a new page. */
  show(): Promise<OpenMonitor>;
}

export async function openMonitor(options: MonitorOptions): Promise<OpenMonitor> {
  const { browser, backend, folders, state, memory, ...look } = options;
  const host = await hostCode();
  const hosted = new HostPanel();
  const { panel } = hosted;
  host.vscode.answers.set('window.createWebviewPanel', () => panel);
  const tabs = { get: (_: string, otherwise: unknown) => otherwise, update: async () => {} };
  const kept = {
    get: (key: string) => memory?.get(key),
    update: async (key: string, value: unknown) => void memory?.set(key, value),
  };
  const panels = new host.MonitorPanels(hostServices(host, backend), tabs, kept);
  if (state === undefined) await panels.openFor([[...folders]]);
  else await panels.restore(panel, state);
  const openPage = async (kept: unknown): Promise<OpenMonitor> => {
    const page = await hosted.open(browser, { ...look, state: kept });
    return {
      ...page,
      host,
      panel,
      sent: () => hosted.sent,
      hide: () => hosted.hide(page),
      show() {
        hosted.look();
        return openPage(page.state());
      },
      close: () => hosted.close(page),
    };
  };
  return openPage(state);
}
