/** The host's side of a panel without the editor: a panel that does what the editor's does, and what the extension shares. */
import { EventEmitter } from 'node:events';
import type { Browser } from 'playwright-core';
import { UserError } from '../../backend/protocol/errors.ts';
import { openPanel, origin, type PanelOptions, type PanelPage } from './harness.ts';
import type { BackendInProcess } from './monitor/backend.ts';

/** What the tests' host modules have in common: their stand-in for vscode, and their own class of errors. */
export interface HostCode {
  readonly vscode: {
    calls: [string, unknown[]][];
    answers: Map<string, (...values: never[]) => unknown>;
    workspace: Record<string, unknown>;
    window: Record<string, unknown>;
    env: Record<string, unknown>;
  };
  readonly UserError: typeof UserError;
}

export class HostPanel {
  readonly #events = new EventEmitter();
  #page: PanelPage | undefined;
  /** Bytes that came to its pages: typed arrays as they are, the rest as text. */
  sent = 0;
  /** What `createWebviewPanel` gives to the extension. */
  readonly panel = {
    title: '',
    visible: true,
    webview: {
      cspSource: origin,
      options: {},
      html: '',
      asWebviewUri: ({ path }: { path: string }) => `${origin}/${path.split('/').at(-1)}`,
      onDidReceiveMessage: this.#on('message'),
      postMessage: async (message: unknown) => {
        this.sent += sizeOf(message);
        await this.#page?.post(message);
        return true;
      },
    },
    onDidChangeViewState: this.#on('viewState'),
    onDidDispose: this.#on('dispose'),
    reveal() {},
    dispose: () => this.#events.emit('dispose'),
  };

  /** A browser with the page that the extension gave to the panel. @param look size and theme, and what an earlier page saved */
  async open(
    browser: Browser,
    look: Pick<PanelOptions, 'theme' | 'width' | 'height' | 'state'> = {},
  ): Promise<PanelPage> {
    return openPanel(browser, {
      html: this.panel.webview.html,
      ...look,
      onMessage: (message) => this.#events.emit('message', message),
      onOpen: (page) => {
        this.#page = page;
      },
    });
  }

  /** As when another tab covers it: the page goes. */
  async hide(page: PanelPage): Promise<void> {
    this.#page = undefined;
    this.panel.visible = false;
    await page.close();
    this.#events.emit('viewState', {});
  }

  /** As when it is looked at again; `open` then makes the page. */
  look(): void {
    this.panel.visible = true;
    this.#events.emit('viewState', {});
  }

  async close(page: PanelPage): Promise<void> {
    this.panel.dispose();
    await page.close();
  }

  #on(name: string) {
    return (listener: (value: unknown) => void) => {
      this.#events.on(name, listener);
      return { dispose: () => this.#events.off(name, listener) };
    };
  }
}

function sizeOf(message: unknown): number {
  let arrays = 0;
  const text = JSON.stringify(message, (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    arrays += value.byteLength;
    return null;
  });
  return arrays + text.length;
}

/** What the extension's parts share, as far as panels ask for it. @param more instead, or besides */
export function hostServices({ UserError: Own }: HostCode, backend: BackendInProcess, more: object = {}): object {
  return {
    extensionUri: { scheme: 'file', path: '/extension' },
    backend: {
      onDidStart: backend.onDidStart,
      onNotification: backend.onNotification.bind(backend),
      // As over the channel, what the backend says becomes the host's own kind of error: its bundle has a class of its own.
      request: (...asked: Parameters<BackendInProcess['request']>) =>
        backend.request(...asked).catch((error: unknown) => {
          throw error instanceof UserError ? new Own(error.kind, error.message, error.hint) : error;
        }),
    },
    log: { error: (text: string) => console.error(text), debug: () => {} },
    news: { seen() {} },
    errors: { log: (error: unknown) => console.error(error) },
    runs: { watch: async () => [], get: () => undefined, onDidChange: () => ({ dispose() {} }) },
    ...more,
  };
}
