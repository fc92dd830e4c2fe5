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
import type { PanelChannel } from '../channel.ts';
import { OnePanel } from '../open-panels.ts';
import { Page } from '../page.ts';
import { scoreWatchTexts } from './texts.ts';
import { scoreWatchViewType } from './view-type.ts';

const memoryKey = 'dmd.scoreWatch';

export class ScoreWatchPanel {
  readonly #services: Services;
  readonly #program: StoppedProgram;
  readonly #watch: ScoreWatch;
  readonly #open = new OnePanel();
  /** The stop that was read last, and its number. */
  #stop: { readonly at: StoppedAt; readonly id: number } | null = null;

  constructor(context: vscode.ExtensionContext, services: Services, program: StoppedProgram) {
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
    if (this.#open.page) this.#open.page.reveal({ preserveFocus: true });
    else this.adopt(vscode.window.createWebviewPanel(scoreWatchViewType, vscode.l10n.t('Score Watch'), column));
  }

  /** Takes a panel that is there, such as one that the editor brings back after a restart. */
  adopt(panel: vscode.WebviewPanel): void {
    this.#open.makeRoom();
    const page = new Page(panel, this.#services, { name: 'score-watch', initial: { texts: scoreWatchTexts() } });
    this.#open.set(page);
    this.#answer(page.channel);
  }

  #answer(channel: PanelChannel): void {
    channel.handle(readScores, async () => {
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

  #follow(): void {
    this.#read().catch((error: unknown) => this.#services.errors.log(error));
  }

  async #read(): Promise<void> {
    if (!this.#open.page?.listening) return;
    const at = await this.#program.current();
    const { follow } = this.#watch.settings;
    this.#open.page?.tell(programAt, { now: at?.stop ?? null, reading: at !== undefined && follow });
    if (!at || !follow) return;
    if (this.#stop?.at !== at) this.#stop = { at, id: this.#watch.newStop() };
    const stop = await this.#watch.read(this.#stop.id, at.debuggee, at.stop);
    if (at.debuggee.resumed.aborted) return;
    if (stop) this.#open.page?.tell(stopRead, { stop });
    this.#open.page?.tell(programAt, { now: at.stop, reading: false });
  }
}
