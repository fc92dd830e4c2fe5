/** A playground as a person has it, without the editor: the real page in a browser, the real host code, real runs behind it. */
import { EventEmitter } from 'node:events';
import type { Browser } from 'playwright-core';
import { UserError } from '../../../backend/protocol/errors.ts';
import { openPanel, origin, type PanelPage } from '../harness.ts';
import type { BackendInProcess } from '../monitor/backend.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';

interface HostModule {
  vscode: {
    calls: [string, unknown[]][];
    answers: Map<string, (...values: never[]) => unknown>;
    workspace: Record<string, unknown>;
  };
  UserError: typeof UserError;
  PlaygroundPanel: new (context: object, services: object) => { show(): void; adopt(panel: object): void };
}

let hostModule: Promise<HostModule> | undefined;

export interface OpenPlayground extends PanelPage {
  readonly host: HostModule;
  /** As when another tab covers it and it is looked at again: a new page with what the old one saved. */
  again(): Promise<OpenPlayground>;
}

export interface PlaygroundOptions {
  readonly browser: Browser;
  readonly backend: BackendInProcess;
  /** Where runs go. */
  readonly root: string;
  readonly theme?: ThemeName;
  readonly state?: unknown;
}

export async function openPlayground({
  browser,
  backend,
  root,
  theme,
  state,
}: PlaygroundOptions): Promise<OpenPlayground> {
  hostModule ??= importWithVscode<HostModule>('test/webview/playground/host-entry.ts');
  const host = await hostModule;
  const events = new EventEmitter();
  const on = (name: string) => (listener: (value: unknown) => void) => {
    events.on(name, listener);
    return { dispose: () => events.off(name, listener) };
  };
  let shown: PanelPage | undefined;
  const panel = {
    title: 'Playground',
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
  const { watchRuns } = await import('../../../backend/protocol/rpc/index.ts');
  const services = {
    backend: {
      onDidStart: backend.onDidStart,
      onNotification: backend.onNotification.bind(backend),
      // As over the channel, what the backend says becomes the host's own kind of error.
      request: (...asked: Parameters<BackendInProcess['request']>) =>
        backend.request(...asked).catch((error: unknown) => {
          throw error instanceof UserError ? new host.UserError(error.kind, error.message, error.hint) : error;
        }),
    },
    log: { error: (text: string) => console.error(text), debug: () => {} },
    errors: { log: (error: unknown) => console.error(error) },
    runs: { watch: () => backend.request(watchRuns, { roots: [root] }), get: () => undefined },
    roots: { forNewRun: () => root, remember: async () => {} },
  };
  host.vscode.workspace.isTrusted = true;
  host.vscode.answers.set('window.createWebviewPanel', () => panel);
  const playground = new host.PlaygroundPanel({ extensionUri: { scheme: 'file', path: '/extension' } }, services);
  playground.adopt(panel);
  const openPage = async (kept: unknown): Promise<OpenPlayground> => {
    shown = await openPanel(browser, {
      html: panel.webview.html,
      ...(theme ? { theme } : {}),
      state: kept,
      onMessage: (message) => events.emit('message', message),
      onOpen: (page) => {
        shown = page;
      },
    });
    const page = shown;
    return {
      ...page,
      host,
      async again() {
        await page.close();
        return openPage(page.state());
      },
      async close() {
        panel.dispose();
        await page.close();
      },
    };
  };
  return openPage(state);
}
