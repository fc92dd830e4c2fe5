/** A score inspector without the editor: the real page in a browser, the real host code, the server's own answers. */
import { EventEmitter } from 'node:events';
import type { Browser } from 'playwright-core';
import { UserError } from '../../../backend/protocol/errors.ts';
import { openPanel, origin, type PanelPage } from '../harness.ts';
import type { BackendInProcess } from '../monitor/backend.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';

export interface InspectorHost {
  vscode: {
    calls: [string, unknown[]][];
    answers: Map<string, (...values: never[]) => unknown>;
    env: Record<string, unknown>;
  };
  UserError: typeof UserError;
  InspectorPanels: new (
    context: object,
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
  const { browser, backend, choice, state, theme, width, height = 1400 } = options;
  const host = await inspectorHost();
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
      ...{ cspSource: origin, options: {}, html: '', onDidReceiveMessage: on('message') },
      asWebviewUri: ({ path }: { path: string }) => `${origin}/${path.split('/').at(-1)}`,
      postMessage: async (message: unknown) => {
        await shown?.post(message);
        return true;
      },
    },
    ...{ onDidChangeViewState: on('viewState'), onDidDispose: on('dispose'), reveal() {} },
    dispose: () => events.emit('dispose'),
  };
  const services = {
    backend: {
      onNotification: backend.onNotification.bind(backend),
      onDidStart: backend.onDidStart,
      // The host's bundle has a class of its own.
      request: (...asked: Parameters<BackendInProcess['request']>) =>
        backend.request(...asked).catch((error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          throw new host.UserError(error.kind, error.message, error.hint);
        }),
    },
    log: { error: (text: string) => console.error(text) },
    errors: { log: (error: unknown) => console.error(error) },
    runs: { watch: async () => [], get: () => undefined, onDidChange: () => ({ dispose() {} }) },
  };
  host.vscode.answers.set('window.createWebviewPanel', () => panel);
  const panels = new host.InspectorPanels({ extensionUri: { scheme: 'file', path: '/extension' } }, services);
  if (state === undefined) panels.openFor([choice]);
  else panels.restore(panel, state);
  const page = await openPanel(browser, {
    html: panel.webview.html,
    ...{ ...(theme ? { theme } : {}), ...(width ? { width } : {}), height, state },
    onMessage: (message) => events.emit('message', message),
    onOpen: (opened) => {
      shown = opened;
    },
  });
  return {
    ...page,
    host,
    panel,
    command: (next) => panels.openFor([next]),
    async close() {
      panel.dispose();
      await page.close();
    },
  };
}
