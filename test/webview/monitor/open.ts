/** A monitor as a person has it, without the editor: the real page in a browser, the real host code, the server's answers. */
import { EventEmitter } from 'node:events';
import type { Browser } from 'playwright-core';
import type { UserError } from '../../../backend/protocol/errors.ts';
import { openPanel, origin, type PanelPage } from '../harness.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';
import type { BackendInProcess } from './backend.ts';

export interface HostModule {
  vscode: {
    calls: [string, unknown[]][];
    answers: Map<string, (...values: never[]) => unknown>;
    workspace: Record<string, unknown>;
  };
  UserError: typeof UserError;
  MonitorPanels: new (
    context: object,
    services: object,
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
}

export interface OpenMonitor extends PanelPage {
  readonly host: HostModule;
  readonly panel: { title: string };
  /** As when another tab covers it: the page goes, and what it saved stays. */
  hide(): Promise<void>;
  /** As when it is looked at again: a new page. */
  show(): Promise<OpenMonitor>;
}

export async function openMonitor(options: MonitorOptions): Promise<OpenMonitor> {
  const host = await hostCode();
  const events = new EventEmitter();
  const on = (name: string) => (listener: (value: unknown) => void) => {
    events.on(name, listener);
    return { dispose: () => events.off(name, listener) };
  };
  let shown: PanelPage | undefined;
  const panel = {
    title: '',
    visible: true,
    webview: {
      cspSource: origin,
      options: {},
      html: '',
      asWebviewUri: ({ path }: { path: string }) => `${origin}/${path.split('/').at(-1)}`,
      onDidReceiveMessage: on('message'),
      postMessage: async (message: unknown) => {
        await shown?.post(message);
        return true;
      },
    },
    onDidChangeViewState: on('viewState'),
    onDidDispose: on('dispose'),
    reveal() {},
    dispose: () => events.emit('dispose'),
  };
  const services = {
    backend: options.backend,
    log: { error: (text: string) => console.error(text) },
    errors: { log: (error: unknown) => console.error(error) },
    runs: { watch: async () => [], get: () => undefined, onDidChange: () => ({ dispose() {} }) },
  };
  host.vscode.answers.set('window.createWebviewPanel', () => panel);
  const panels = new host.MonitorPanels({ extensionUri: { scheme: 'file', path: '/extension' } }, services);
  if (options.state === undefined) await panels.openFor([[...options.folders]]);
  else await panels.restore(panel, options.state);
  const openPage = async (state: unknown): Promise<OpenMonitor> => {
    const { browser, theme, width, height } = options;
    const sizes = { ...(theme ? { theme } : {}), ...(width ? { width } : {}), ...(height ? { height } : {}) };
    shown = await openPanel(browser, {
      html: panel.webview.html,
      ...sizes,
      state,
      onMessage: (message) => events.emit('message', message),
      onOpen: (page) => {
        shown = page;
      },
    });
    const page = shown;
    return {
      ...page,
      host,
      panel,
      async hide() {
        shown = undefined;
        panel.visible = false;
        await page.close();
        events.emit('viewState', {});
      },
      show() {
        panel.visible = true;
        events.emit('viewState', {});
        return openPage(page.state());
      },
      async close() {
        panel.dispose();
        await page.close();
      },
    };
  };
  return openPage(options.state);
}
