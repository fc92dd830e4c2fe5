/**
 * One monitor: a page that shows runs, and the way from it to the backend. Nothing is kept here but which runs are shown. A
 * page that is hidden is thrown away by the editor, and its runs are followed no more; shown again, it asks for everything.
 */
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import {
  addRuns,
  commandRun,
  compareConfigs,
  decodeLatents,
  drawCurves,
  drawHistograms,
  followProbe,
  inspectShown,
  keepCharts,
  monitorLive,
  openConfig,
  openRun,
  openTensorBoard,
  readCaptions,
  readClock,
  readFieldRanges,
  readFields,
  readHealth,
  readSamples,
  readValues,
  removeRun,
  resumeRun,
  resumeWithChanges,
  runChanged,
  runRemoved,
  runsChanged,
  saveCsv,
  savePng,
  shownRuns,
  showStopped,
  startAgain,
} from '../../../backend/protocol/panels/monitor.ts';
import { followRun, runLive, unfollowRun } from '../../../backend/protocol/rpc/runs.ts';
import type { Services } from '../../services.ts';
import { Page } from '../page.ts';
import { scoreTexts } from '../score-texts.ts';
import { checkTrust } from '../trust.ts';
import { keepChartSettings, lastChartSettings } from './chart-settings.ts';
import { saveBytes, saveRunCsv } from './export.ts';
import { choiceAt } from './inspect.ts';
import { pageEvent } from './live.ts';
import { pickRuns } from './pick-runs.ts';
import { showTensorBoard } from './tensorboard.ts';
import { monitorTexts } from './texts.ts';

export class MonitorPanel {
  readonly page: Page;
  readonly #services: Services;
  #folders: readonly string[];
  /** As the backend last told, also of runs that lie in none of the workspace's run folders. */
  readonly #names = new Map<string, string>();
  /** Where the page is to begin, once there is one. */
  #stopped: { readonly folder: string; readonly step: number } | null = null;
  readonly #changed = new vscode.EventEmitter<void>();
  /** Other runs, or another title. */
  readonly onDidChange = this.#changed.event;
  /** Of which run the page wants the probe at every step. */
  #probeOf: string | null = null;
  /** What the backend was last asked to follow for this panel, under which id, and whether with the probe. */
  readonly #followed = new Map<string, { readonly id: string; readonly probe: boolean }>();

  constructor(panel: vscode.WebviewPanel, folders: readonly string[], services: Services, memory: vscode.Memento) {
    this.#folders = folders;
    this.#services = services;
    const { backend, runs } = services;
    const page = new Page(panel, services, {
      name: 'monitor',
      title: this.#title(),
      initial: { texts: monitorTexts(), scores: scoreTexts(), charts: lastChartSettings(memory) },
    });
    this.page = page;
    this.#answerPage();
    page.channel.on(keepCharts, (settings) => keepChartSettings(memory, settings));
    page.keep(
      backend.onNotification(runLive, ({ id, event }) => {
        const [folder] = [...this.#followed].find(([, one]) => one.id === id) ?? [];
        if (folder !== undefined) page.tell(monitorLive, { folder, event: pageEvent(event) });
      }),
      backend.onNotification(runChanged, (record) => {
        if (!this.#folders.includes(record.folder)) return;
        this.#names.set(record.folder, record.name);
        page.tell(runChanged, record);
        this.#showTitle();
      }),
      backend.onNotification(runRemoved, ({ folder }) => {
        if (this.#folders.includes(folder)) page.tell(runRemoved, { folder });
      }),
      backend.onDidStart(() => {
        this.#followed.clear();
        page.tell(startAgain, {});
      }),
      runs.onDidChange(() => this.#showTitle()),
    );
    page.keep(this.#changed);
    page.onGone(() => void this.#follow());
  }

  get folders(): readonly string[] {
    return this.#folders;
  }

  /** These runs and no others, from now on. */
  show(folders: readonly string[]): void {
    this.#folders = [...new Set(folders)];
    this.#stopped = null;
    this.#showTitle();
    this.#changed.fire();
    void this.#follow();
    this.page.channel.notify(runsChanged, { folders: [...this.#folders] });
  }

  /** Leads to the tensors of a step that was stopped, in one of its runs. */
  showStopped(folder: string, step: number): void {
    this.#stopped = { folder, step };
    if (!this.page.listening) return; // asked for by the page that comes
    this.page.tell(showStopped, this.#stopped);
    this.#stopped = null;
  }

  #answerPage(): void {
    const { channel } = this.page;
    const { backend } = this.#services;
    const isShown = ({ folder }: { folder: string }) => this.#check(folder);
    channel.handle(shownRuns, () => {
      this.#probeOf = null;
      // Asked for before anything is read: what happens in between comes as news. It takes as long as the disk does, and the
      // page must not wait to say what it waits for.
      void this.#follow();
      for (const folder of this.#folders) this.#services.news.seen(folder);
      const stopped = this.#stopped;
      this.#stopped = null;
      return { folders: [...this.#folders], stopped };
    });
    channel.on(followProbe, ({ folder }) => {
      this.#probeOf = folder;
      void this.#follow();
    });
    channel.handle(addRuns, async () => {
      const picked = await pickRuns(this.#services.runs, this.#folders);
      if (picked.length > 0) this.show([...this.#folders, ...picked]);
      return null;
    });
    channel.handle(removeRun, ({ folder }) => {
      this.show(this.#folders.filter((other) => other !== folder));
      return null;
    });
    channel.forward(openRun, backend, isShown);
    channel.forward(drawCurves, backend, isShown);
    channel.forward(drawHistograms, backend, isShown);
    channel.forward(readClock, backend, isShown);
    channel.forward(readValues, backend, isShown);
    channel.forward(readSamples, backend, isShown);
    channel.forward(readFields, backend, isShown);
    channel.forward(readFieldRanges, backend, isShown);
    channel.forward(readCaptions, backend, isShown);
    channel.forward(decodeLatents, backend, (params) => {
      isShown(params);
      checkTrust(); // it opens what the run's config names
    });
    channel.forward(readHealth, backend, isShown);
    channel.handle(commandRun, (params) => {
      this.#check(params.folder);
      checkTrust();
      // Done even when the page is hidden before the answer.
      return this.#services.backend.request(commandRun, params);
    });
    channel.forward(resumeRun, backend, (params) => {
      isShown(params);
      checkTrust();
    });
    channel.handle(resumeWithChanges, async ({ folder }) => {
      this.#check(folder);
      checkTrust();
      await vscode.commands.executeCommand('dmd.resumeWithChanges', folder);
      return null;
    });
    channel.handle(compareConfigs, ({ folders }, token) => {
      for (const folder of folders) this.#check(folder);
      return this.#services.backend.request(compareConfigs, { folders }, token);
    });
    channel.handle(saveCsv, ({ folder, tags }, token) => {
      this.#check(folder);
      return saveRunCsv(this.#services.backend, folder, tags, token);
    });
    channel.handle(savePng, ({ name, png }) => saveBytes(basename(name), { PNG: ['png'] }, async () => png));
    channel.handle(inspectShown, async ({ folder, step, at }, token) => {
      this.#check(folder);
      checkTrust();
      const { config } = await this.#services.backend.request(openRun, { folder }, token);
      await vscode.commands.executeCommand('dmd.inspectScores', { folder, state: step, ...choiceAt(at, config) });
      return null;
    });
    channel.handle(openTensorBoard, async ({ folder }) => {
      this.#check(folder);
      checkTrust();
      await showTensorBoard(folder);
      return null;
    });
    channel.handle(openConfig, async ({ folder }) => {
      this.#check(folder);
      await vscode.window.showTextDocument(vscode.Uri.joinPath(vscode.Uri.file(folder), 'config.dmd.json'));
      return null;
    });
  }

  #check(folder: string): void {
    if (!this.#folders.includes(folder)) throw new Error(`${folder} is not shown here`);
  }

  #showTitle(): void {
    const title = this.#title();
    if (title === this.page.title) return;
    this.page.title = title;
    this.#changed.fire();
  }

  #title(): string {
    const { runs } = this.#services;
    const names = this.#folders.map((folder) => this.#names.get(folder) ?? runs.get(folder)?.name ?? basename(folder));
    const [first = vscode.l10n.t('No Run')] = names;
    return names.length > 1 ? vscode.l10n.t('{0} and {1} more', first, names.length - 1) : first;
  }

  /** Tells the backend what is followed from now on. */
  async #follow(): Promise<void> {
    const { backend, errors } = this.#services;
    const wanted = new Map(
      this.page.listening ? this.#folders.map((folder) => [folder, folder === this.#probeOf]) : [],
    );
    const changes: Promise<unknown>[] = [];
    const follow = async (folder: string, id: string, probe: boolean) => {
      const wants = { steps: true, records: true, notes: true, probe };
      try {
        await backend.request(followRun, { id, folder, wants });
      } catch (error) {
        // Asked again when the page is shown again.
        if (this.#followed.get(folder)?.id === id) this.#followed.delete(folder);
        throw error;
      }
    };
    for (const [folder, { id }] of [...this.#followed]) {
      if (wanted.has(folder)) continue;
      this.#followed.delete(folder);
      changes.push(backend.request(unfollowRun, { id }));
    }
    for (const [folder, probe] of wanted) {
      const known = this.#followed.get(folder);
      if (known?.probe === probe) continue;
      const id = known?.id ?? randomUUID();
      this.#followed.set(folder, { id, probe });
      changes.push(follow(folder, id, probe));
    }
    // A run that cannot be followed can still be read; what is wrong with it shows there.
    for (const change of await Promise.allSettled(changes)) {
      if (change.status === 'rejected') errors.log(change.reason, 'monitor: follow');
    }
  }
}
