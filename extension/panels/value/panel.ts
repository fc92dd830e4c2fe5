/** One value panel: passes the page's questions on to the stopped program, and says when it stops and runs on. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { readArray, readStop, savePicture, stopChanged, titleChanged } from '../../../backend/protocol/panels/value.ts';
import type { Services } from '../../services.ts';
import { readValue } from '../../values/read.ts';
import type { StoppedProgram } from '../../values/stopped-program.ts';
import { PanelChannel } from '../channel.ts';
import { saveBytes } from '../monitor/export.ts';
import { webviewHtml } from '../webview-html.ts';
import { valueTexts } from './texts.ts';

const longestTitle = 40;

export class ValuePanel {
  readonly #panel: vscode.WebviewPanel;
  readonly #channel: PanelChannel;
  readonly #program: StoppedProgram;
  #expression: string;
  /** A page is there that listens. */
  #listening = false;

  constructor(
    panel: vscode.WebviewPanel,
    expression: string,
    program: StoppedProgram,
    { extensionUri }: vscode.ExtensionContext,
    { log }: Services,
  ) {
    this.#panel = panel;
    this.#program = program;
    this.#expression = expression;
    this.#channel = new PanelChannel(panel.webview, (text) => log.error(`value panel: ${text}`));
    this.#answerPage();
    const listening = [this.#channel, program.onDidChange(() => void this.#tell())];
    panel.onDidChangeViewState(() => {
      if (!panel.visible) this.#pageGone();
    });
    panel.onDidDispose(() => {
      this.#pageGone();
      for (const one of listening) one.dispose();
    });
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.svg');
    this.#showTitle();
    panel.webview.html = webviewHtml(panel.webview, extensionUri, {
      panel: 'value',
      title: panel.title,
      initial: { texts: valueTexts(), expression },
    });
  }

  get expression(): string {
    return this.#expression;
  }

  reveal(): void {
    this.#panel.reveal(undefined, true);
  }

  #answerPage(): void {
    const channel = this.#channel;
    channel.handle(readStop, async () => {
      this.#listening = true;
      return (await this.#program.current())?.stop ?? null;
    });
    channel.handle(readArray, async (question) => readValue((await this.#program.current())?.debuggee, question));
    channel.handle(savePicture, ({ name, png }) => saveBytes(basename(name), { PNG: ['png'] }, async () => png));
    channel.on(titleChanged, ({ expression }) => {
      this.#expression = expression;
      this.#showTitle();
    });
  }

  async #tell(): Promise<void> {
    if (!this.#listening) return;
    const at = await this.#program.current();
    if (this.#listening && (at === undefined || !at.debuggee.resumed.aborted)) {
      this.#channel.notify(stopChanged, { stop: at?.stop ?? null });
    }
  }

  /** The next one asks for everything again. */
  #pageGone(): void {
    this.#listening = false;
    this.#channel.cancelAll();
  }

  #showTitle(): void {
    const text = this.#expression.replace(/\s+/g, ' ');
    const short = text.length > longestTitle ? `${text.slice(0, longestTitle)}…` : text;
    this.#panel.title = short || vscode.l10n.t('Value');
  }
}
