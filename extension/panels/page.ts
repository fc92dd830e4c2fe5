/**
 * What every panel of ours stands on: one page under our policy, and the channel to it.
 *
 * The editor throws a page away when it is hidden and makes a new one when it is seen again, which asks for everything. So a page
 * hears news only from its first question on, and what was asked or followed for it ends when it goes.
 */
import * as vscode from 'vscode';
import type { NotificationDefinition } from '../../backend/protocol/rpc/define.ts';
import type { Services } from '../services.ts';
import { PanelChannel } from './channel.ts';
import { webviewHtml, webviewOptions } from './webview-html.ts';

export interface PageOptions {
  /** Names the bundle, dist/webview/<name>.js and .css, and this page in the log. */
  readonly name: string;
  /** Other than the one that the panel has. */
  readonly title?: string;
  /** JSON for the page, such as its texts. */
  readonly initial: unknown;
}

export class Page {
  readonly channel: PanelChannel;
  readonly #panel: vscode.WebviewPanel;
  readonly #kept: vscode.Disposable[] = [];
  readonly #looked: (() => void)[] = [];
  readonly #gone: (() => void)[] = [];
  readonly #closed: (() => void)[] = [];
  #listening = false;

  /** The page's questions come no sooner than the caller is done: it may say how to answer them afterwards. */
  constructor(panel: vscode.WebviewPanel, { extensionUri, log }: Services, { name, title, initial }: PageOptions) {
    this.#panel = panel;
    const { webview } = panel;
    this.keep(
      webview.onDidReceiveMessage(() => {
        this.#listening = panel.visible;
      }),
    );
    this.channel = new PanelChannel(webview, (text) => log.error(`${name}: ${text}`));
    this.keep(this.channel);
    panel.onDidChangeViewState(() => {
      if (!panel.visible) this.#end();
      for (const handler of this.#looked) handler();
    });
    panel.onDidDispose(() => {
      this.#end();
      for (const one of this.#kept) one.dispose();
      for (const handler of this.#closed) handler();
    });
    if (title !== undefined) this.title = title;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.svg');
    webview.options = webviewOptions(extensionUri);
    webview.html = webviewHtml(webview, extensionUri, { panel: name, title: panel.title, initial });
  }

  /** A page is there and has asked its first question. */
  get listening(): boolean {
    return this.#listening;
  }

  /** It is what the person works with. */
  get active(): boolean {
    return this.#panel.active;
  }

  get title(): string {
    return this.#panel.title;
  }

  /** The editor is told only of a new one: every one costs it a message. */
  set title(title: string) {
    if (this.#panel.title !== title) this.#panel.title = title;
  }

  reveal({ preserveFocus = false } = {}): void {
    this.#panel.reveal(undefined, preserveFocus);
  }

  close(): void {
    this.#panel.dispose();
  }

  /** News for a page that listens. */
  tell<P>(definition: NotificationDefinition<P>, params: P): void {
    if (this.#listening) this.channel.notify(definition, params);
  }

  /** What ends with the panel. */
  keep(...these: vscode.Disposable[]): void {
    this.#kept.push(...these);
  }

  /** The person looks at it, or at something else. */
  onLooked(handler: () => void): void {
    this.#looked.push(handler);
  }

  /** The page was hidden or closed. */
  onGone(handler: () => void): void {
    this.#gone.push(handler);
  }

  /** The panel was closed. */
  onClosed(handler: () => void): void {
    this.#closed.push(handler);
  }

  #end(): void {
    this.#listening = false;
    this.channel.cancelAll();
    for (const handler of this.#gone) handler();
  }
}
