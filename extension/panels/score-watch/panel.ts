/**
 * The score watch's panel, of which there is one. While its page is seen, the program is read at every stop; hidden, nothing is
 * asked, so that stepping costs nothing.
 */
import * as vscode from 'vscode';
import {
  forgetStops,
  programAt,
  readScores,
  setScores,
  stopRead,
} from '../../../backend/protocol/panels/score-watch.ts';
import type { Services } from '../../services.ts';
import { ScoreWatch } from '../../values/score-watch.ts';
import type { StoppedAt, StoppedProgram } from '../../values/stopped-program.ts';
import { PanelChannel } from '../channel.ts';
import { webviewHtml, webviewOptions } from '../webview-html.ts';
import { scoreWatchTexts } from './texts.ts';
import { scoreWatchViewType } from './view-type.ts';

const memoryKey = 'dmd.scoreWatch';

export class ScoreWatchPanel {
  readonly #context: vscode.ExtensionContext;
  readonly #services: Services;
  readonly #program: StoppedProgram;
  readonly #watch: ScoreWatch;
  #panel: vscode.WebviewPanel | null = null;
  #channel: PanelChannel | null = null;
  /** A page is there that listens. */
  #listening = false;
  /** The stop that was read last, and its number. */
  #stop: { readonly at: StoppedAt; readonly id: number } | null = null;

  constructor(context: vscode.ExtensionContext, services: Services, program: StoppedProgram) {
    this.#context = context;
    this.#services = services;
    this.#program = program;
    const { workspaceState } = context;
    this.#watch = new ScoreWatch({
      get: () => workspaceState.get(memoryKey),
      set: (settings) => void workspaceState.update(memoryKey, settings),
    });
    context.subscriptions.push(program.onDidChange(() => this.#follow()));
  }

  /** Beside the program, which keeps the keyboard: the person goes on stepping. */
  show(): void {
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    if (this.#panel) this.#panel.reveal(undefined, true);
    else this.adopt(vscode.window.createWebviewPanel(scoreWatchViewType, vscode.l10n.t('Score Watch'), column));
  }

  /** Takes a panel that is there, such as one that the editor brings back after a restart. */
  adopt(panel: vscode.WebviewPanel): void {
    this.#panel?.dispose();
    const { extensionUri } = this.#context;
    const channel = new PanelChannel(panel.webview, (text) => this.#services.log.error(`score watch: ${text}`));
    this.#panel = panel;
    this.#channel = channel;
    this.#answer(channel);
    panel.onDidChangeViewState(() => {
      if (!panel.visible) this.#pageGone(channel);
    });
    panel.onDidDispose(() => {
      this.#pageGone(channel);
      channel.dispose();
      if (this.#panel === panel) this.#panel = null;
    });
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.svg');
    panel.webview.options = webviewOptions(extensionUri);
    panel.webview.html = webviewHtml(panel.webview, extensionUri, {
      ...{ panel: 'score-watch', title: panel.title, initial: { texts: scoreWatchTexts() } },
    });
  }

  #answer(channel: PanelChannel): void {
    channel.handle(readScores, async () => {
      this.#listening = true;
      const now = (await this.#program.current())?.stop ?? null;
      if (this.#watch.settings.follow) this.#follow();
      return { settings: this.#watch.settings, stops: [...this.#watch.stops], now };
    });
    channel.handle(setScores, async (settings) => {
      this.#watch.set(settings);
      this.#follow();
      return null;
    });
    channel.handle(forgetStops, () => {
      this.#watch.forget();
      return null;
    });
  }

  #pageGone(channel: PanelChannel): void {
    if (channel === this.#channel) this.#listening = false;
    channel.cancelAll();
  }

  #follow(): void {
    this.#read().catch((error: unknown) => this.#services.errors.log(error));
  }

  async #read(): Promise<void> {
    if (!this.#listening) return;
    const at = await this.#program.current();
    const { follow } = this.#watch.settings;
    this.#channel?.notify(programAt, { now: at?.stop ?? null, reading: at !== undefined && follow });
    if (!at || !follow) return;
    if (this.#stop?.at !== at) this.#stop = { at, id: this.#watch.newStop() };
    const stop = await this.#watch.read(this.#stop.id, at.debuggee, at.stop);
    if (at.debuggee.resumed.aborted) return;
    if (stop) this.#channel?.notify(stopRead, { stop });
    this.#channel?.notify(programAt, { now: at.stop, reading: false });
  }
}
