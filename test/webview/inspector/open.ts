/** A score inspector without the editor: the real page in a browser, the real host code, the server's own answers. */
import type { Browser } from 'playwright-core';
import type { PanelPage } from '../harness.ts';
import { type HostCode, HostPanel, hostServices } from '../host-panel.ts';
import type { BackendInProcess } from '../monitor/backend.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';

export interface InspectorHost extends HostCode {
  InspectorPanels: new (
    services: object,
  ) => { openFor(what: readonly unknown[]): void; restore(panel: object, state: unknown): void };
  pythonFor(file: string): string;
}

let hostModule: Promise<InspectorHost> | undefined;

export function inspectorHost(): Promise<InspectorHost> {
  hostModule ??= importWithVscode<InspectorHost>('test/webview/inspector/host-entry.ts');
  return hostModule;
}

export interface InspectorOptions {
  readonly browser: Browser;
  readonly backend: BackendInProcess;
  /** What the command is called with. */
  readonly choice?: unknown;
  /** What an earlier page saved, after a reload of the window. */
  readonly state?: unknown;
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
}

export interface OpenInspector extends PanelPage {
  readonly host: InspectorHost;
  readonly panel: { title: string };
  /** The command once more. */
  command(choice: unknown): void;
}

export async function openInspector(options: InspectorOptions): Promise<OpenInspector> {
  const { browser, backend, choice, state, height = 1400, ...look } = options;
  const host = await inspectorHost();
  const hosted = new HostPanel();
  const { panel } = hosted;
  host.vscode.answers.set('window.createWebviewPanel', () => panel);
  const panels = new host.InspectorPanels(hostServices(host, backend));
  if (state === undefined) panels.openFor([choice]);
  else panels.restore(panel, state);
  const page = await hosted.open(browser, { ...look, height, state });
  return {
    ...page,
    host,
    panel,
    command: (next) => panels.openFor([next]),
    close: () => hosted.close(page),
  };
}
