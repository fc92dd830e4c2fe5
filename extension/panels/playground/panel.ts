/**
 * The playground's host: one panel, which shows one run at a time. Runs are started from the preset `figure-3` among the runs of the
 * workspace, in processes of their own. Closing the panel ends the run with a checkpoint; reloading the window does not.
 */
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import {
  advanceRun,
  begin,
  changeRun,
  commandRun,
  goOn,
  letGo,
  openRunConfig,
  openRunMonitor,
  paceRun,
  playgroundAgain,
  readPlane,
  runChanged,
  runRemoved,
  type ShownPlayground,
  takeUp,
} from '../../../backend/protocol/panels/playground.ts';
import { settingsAssignments, settingsOfConfig } from '../../../backend/protocol/panels/playground-settings.ts';
import { listPresets, openRun, resumeRun, startRun } from '../../../backend/protocol/rpc/index.ts';
import type { Services } from '../../services.ts';
import type { PanelChannel } from '../channel.ts';
import { OnePanel } from '../open-panels.ts';
import { Page } from '../page.ts';
import { checkTrust } from '../trust.ts';
import { playgroundTexts } from './texts.ts';
import { playgroundViewType } from './view-type.ts';

/** Its runs begin with this one, so that a terminal can do the same. */
const preset = 'figure-3';

export class PlaygroundPanel {
  readonly #services: Services;
  readonly #open = new OnePanel();
  /** The run that is shown. */
  #folder: string | null = null;

  constructor(services: Services) {
    this.#services = services;
  }

  show(): void {
    if (this.#open.page) {
      this.#open.page.reveal();
      return;
    }
    const title = vscode.l10n.t('Playground');
    this.adopt(vscode.window.createWebviewPanel(playgroundViewType, title, vscode.ViewColumn.Active));
  }

  /** Takes a panel that is there, such as one that the editor brings back after a restart. */
  adopt(panel: vscode.WebviewPanel): void {
    this.#open.makeRoom();
    const { backend } = this.#services;
    const page = new Page(panel, this.#services, { name: 'playground', initial: { texts: playgroundTexts() } });
    this.#open.set(page);
    this.#answer(page.channel);
    page.keep(
      backend.onNotification(runChanged, (record) => {
        if (record.folder === this.#folder) page.tell(runChanged, record);
      }),
      backend.onNotification(runRemoved, ({ folder }) => {
        if (folder === this.#folder) page.tell(runRemoved, { folder });
      }),
      backend.onDidStart(() => {
        if (this.#folder !== null) page.tell(playgroundAgain, {});
      }),
    );
    page.onClosed(() => void this.#end());
  }

  #answer(channel: PanelChannel): void {
    const { backend } = this.#services;
    channel.handle(takeUp, async ({ folder }) => {
      this.#folder = folder;
      if (folder === null) return null;
      await this.#services.runs.watch();
      // A run that was deleted since, or whose folder is damaged, is not worth an error: the page begins with none.
      const shown = await this.#read(folder).catch(() => null);
      if (!shown) this.#folder = null;
      return shown;
    });
    channel.handle(begin, async ({ settings, pace }, token) => {
      checkTrust();
      await this.#end();
      const presets = await backend.request(listPresets, {}, token);
      const found = presets.find(({ name }) => name === preset);
      if (!found) throw new Error(`there is no preset ${preset}`);
      const { roots, runs } = this.#services;
      const root = await roots.askForNewRun();
      const file = join(dirname(root), `${preset}.dmd.json`); // where it would be; nothing is written there
      const set = settingsAssignments(settings);
      const { folder } = await backend.request(startRun, { text: found.text, file, root, set, pace }, token);
      this.#folder = folder;
      await roots.remember(root);
      await runs.watch();
      const shown = await this.#read(folder);
      if (!shown) throw new Error(`${folder} is no playground's run`);
      return shown;
    });
    channel.handle(goOn, async ({ folder, set }, token) => {
      this.#check(folder);
      checkTrust();
      return backend.request(resumeRun, { folder, set }, token);
    });
    channel.handle(letGo, async () => {
      await this.#end();
      return null;
    });
    const isShown = ({ folder }: { folder: string }) => this.#check(folder);
    const mayChange = (params: { folder: string }) => {
      isShown(params);
      checkTrust();
    };
    channel.forward(readPlane, backend, isShown);
    channel.forward(commandRun, backend, mayChange);
    channel.forward(paceRun, backend, mayChange);
    channel.forward(advanceRun, backend, mayChange);
    channel.forward(changeRun, backend, mayChange);
    channel.handle(openRunMonitor, async ({ folder }) => {
      this.#check(folder);
      await vscode.commands.executeCommand('dmd.openMonitor', folder);
      return null;
    });
    channel.handle(openRunConfig, async ({ folder }) => {
      this.#check(folder);
      const uri = vscode.Uri.joinPath(vscode.Uri.file(folder), 'config.dmd.json');
      await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside });
      return null;
    });
  }

  #check(folder: string): void {
    if (folder !== this.#folder) throw new Error(`${folder} is not shown here`);
  }

  async #read(folder: string): Promise<ShownPlayground | null> {
    const { record, config } = await this.#services.backend.request(openRun, { folder });
    const settings = settingsOfConfig(JSON.parse(config));
    return settings ? { record, settings } : null;
  }

  /** The run that was shown keeps what it has done; nobody is told when it has ended already. */
  async #end(): Promise<void> {
    const folder = this.#folder;
    this.#folder = null;
    if (folder === null || !vscode.workspace.isTrusted) return;
    await this.#services.backend
      .request(commandRun, { folder, command: 'stop' })
      .catch((error) => this.#services.log.debug(`playground: ${error instanceof Error ? error.message : error}`));
  }
}
