/**
 * The playground's host: one panel, which shows one run at a time. Runs are started from the preset `figure-3` among the runs of the
 * workspace, in processes of their own. Closing the panel ends the run with a checkpoint; reloading the window does not.
 */
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../../backend/protocol/errors.ts';
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
import {
  listPresets,
  openRun,
  type RequestDefinition,
  resumeRun,
  startRun,
} from '../../../backend/protocol/rpc/index.ts';
import type { Services } from '../../services.ts';
import { PanelChannel } from '../channel.ts';
import { webviewHtml, webviewOptions } from '../webview-html.ts';
import { playgroundTexts } from './texts.ts';
import { playgroundViewType } from './view-type.ts';

/** Its runs begin with this one, so that a terminal can do the same. */
const preset = 'figure-3';

export class PlaygroundPanel {
  readonly #context: vscode.ExtensionContext;
  readonly #services: Services;
  #panel: vscode.WebviewPanel | null = null;
  /** The run that is shown. */
  #folder: string | null = null;

  constructor(context: vscode.ExtensionContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  show(): void {
    if (this.#panel) {
      this.#panel.reveal();
      return;
    }
    const title = vscode.l10n.t('Playground');
    this.adopt(vscode.window.createWebviewPanel(playgroundViewType, title, vscode.ViewColumn.Active));
  }

  /** Takes a panel that is there, such as one that the editor brings back after a restart. */
  adopt(panel: vscode.WebviewPanel): void {
    this.#panel?.dispose();
    this.#panel = panel;
    const { extensionUri } = this.#context;
    const { backend, log } = this.#services;
    const channel = new PanelChannel(panel.webview, (text) => log.error(`playground: ${text}`));
    this.#answer(channel);
    const subscriptions = [
      channel,
      backend.onNotification(runChanged, (record) => {
        if (panel.visible && record.folder === this.#folder) channel.notify(runChanged, record);
      }),
      backend.onNotification(runRemoved, ({ folder }) => {
        if (panel.visible && folder === this.#folder) channel.notify(runRemoved, { folder });
      }),
      backend.onDidStart(() => {
        if (panel.visible && this.#folder !== null) channel.notify(playgroundAgain, {});
      }),
    ];
    panel.onDidChangeViewState(() => {
      if (!panel.visible) channel.cancelAll();
    });
    panel.onDidDispose(() => {
      for (const subscription of subscriptions) subscription.dispose();
      if (this.#panel !== panel) return;
      this.#panel = null;
      void this.#end();
    });
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.svg');
    panel.webview.options = webviewOptions(extensionUri);
    panel.webview.html = webviewHtml(panel.webview, extensionUri, {
      ...{ panel: 'playground', title: panel.title, initial: { texts: playgroundTexts() } },
    });
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
      const root = roots.forNewRun();
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
    this.#forward(channel, readPlane);
    this.#forward(channel, commandRun, { trusted: true });
    this.#forward(channel, paceRun, { trusted: true });
    this.#forward(channel, advanceRun, { trusted: true });
    this.#forward(channel, changeRun, { trusted: true });
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

  /** The backend answers, for the run that is shown. */
  #forward<P extends { folder: string }, R>(
    channel: PanelChannel,
    definition: RequestDefinition<P, R>,
    { trusted = false } = {},
  ): void {
    channel.handle(definition, (params, token) => {
      this.#check(params.folder);
      if (trusted) checkTrust();
      return this.#services.backend.request(definition, params, token);
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

function checkTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new UserError(
    'usage',
    vscode.l10n.t('nothing runs in a folder that is not trusted'),
    vscode.l10n.t('Trust the workspace first.'),
  );
}
