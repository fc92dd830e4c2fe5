/**
 * Generating images as the command and the panel share it: the form as it was left, the models, the queue and the
 * history. The panel only shows what is here.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { type Entry, type Form, mostImages, type View } from '../../backend/protocol/panels/generate.ts';
import { keepingSeed, type Restorable } from '../../backend/protocol/panels/generate-form.ts';
import {
  type GenerateSettings,
  imagePreview,
  listDevices,
  listModels,
  type ModelInfo,
  progress,
  readForeignPng,
  readPngSettings,
} from '../../backend/protocol/rpc/index.ts';
import { errorText } from '../error-text.ts';
import { isCancelled } from '../errors.ts';
import type { Services } from '../services.ts';
import { ActiveDocument } from './active-document.ts';
import { asking, historyLimits, stageWord } from './asking.ts';
import { foreignText } from './foreign-text.ts';
import { formOf, formOfEntry, formOfForeign, liveSettings, lostSettings, settingsOf } from './form.ts';
import { FormMemory } from './form-memory.ts';
import { Generations } from './generations.ts';
import { cellsOf } from './grid.ts';
import { History } from './history.ts';
import { type LiveImage, LiveImages } from './live-images.ts';

const { l10n } = vscode;
const largestPng = 64 * 2 ** 20;
const mostPrompts = 100;

export interface GenerateOptions {
  readonly signal?: AbortSignal;
  /** Makes the images of the form's seed, also where it is not kept for later ones. */
  readonly keepSeed?: boolean;
}

type Loaded = Pick<View, 'state' | 'problem' | 'models' | 'devices'>;

export class GenerateSession implements vscode.Disposable {
  readonly history: History;
  readonly live: LiveImages;
  readonly document = new ActiveDocument();
  readonly #services: Services;
  readonly #memory: FormMemory;
  readonly #generations: Generations;
  readonly #viewChanged = new vscode.EventEmitter<void>();
  readonly #jobsChanged = new vscode.EventEmitter<void>();
  readonly #finished = new vscode.EventEmitter<Entry>();
  readonly #subscriptions: vscode.Disposable[];
  #form: Form;
  #formVersion = 0;
  #formHeard = 0;
  #loaded: Loaded = { state: 'loading', problem: '', models: [], devices: [] };
  #loading: Promise<void> | null = null;

  readonly onDidChangeView = this.#viewChanged.event;
  readonly onDidChangeJobs = this.#jobsChanged.event;
  readonly onDidFinish = this.#finished.event;

  constructor(context: vscode.ExtensionContext, services: Services) {
    this.#services = services;
    this.#memory = new FormMemory(context);
    const { backend, roots, modelFiles, runs } = services;
    this.history = new History(join(context.globalStorageUri.fsPath, 'images'), historyLimits);
    const ask = asking(backend);
    this.live = new LiveImages(ask);
    this.#generations = new Generations(ask, stageWord, () => this.#jobsChanged.fire());
    this.#form = this.#memory.read();
    const reload = () => void this.load(true);
    this.#subscriptions = [
      ...[this.document, this.#viewChanged, this.#jobsChanged, this.#finished],
      this.document.onDidChange(() => this.#viewChanged.fire()),
      backend.onNotification(progress, (news) => this.#generations.progress(news)),
      backend.onNotification(imagePreview, (news) => this.#generations.preview(news)),
      roots.onDidChange(reload),
      modelFiles.onDidChange(reload),
      // A run that ends leaves a model behind.
      runs.onDidChange((run) => {
        if (run && ['finished', 'stopped'].includes(run.state)) reload();
      }),
    ];
  }

  dispose(): void {
    this.#generations.cancelAll();
    this.live.stop();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  get form(): Form {
    return this.#form;
  }

  get models(): readonly ModelInfo[] {
    return this.#loaded.models;
  }

  /** All but what a page wants to be shown. */
  async view(): Promise<Omit<View, 'show'>> {
    const { document } = this.document;
    return {
      ...this.#loaded,
      form: this.#form,
      formVersion: this.#formVersion,
      formHeard: this.#formHeard,
      ...(await this.#remembered()),
      document: document ? vscode.workspace.asRelativePath(document.uri) : '',
      jobs: this.#generations.jobs(),
    };
  }

  /** The person changed it in the page, which need not be told. @param change its number there */
  async remember(form: Form, change = this.#formHeard): Promise<void> {
    this.#form = form;
    this.#formHeard = change;
    await this.#memory.write(form);
  }

  /** Changes what the page shows. */
  async fill(form: Form): Promise<void> {
    this.#formVersion++;
    await this.remember(form);
    this.#viewChanged.fire();
  }

  /** Asks the backend which models there are, once unless it is to be asked again. Never rejects: `view` says why. */
  async load(again = false): Promise<void> {
    if (again) this.#loading = null;
    this.#loading ??= this.#load();
    await this.#loading;
  }

  /** Queues what the form says and keeps what comes of it. Rejects with what did not work out. */
  async generate(form: Form, { signal, keepSeed = false }: GenerateOptions = {}): Promise<Entry> {
    await this.load(this.#loaded.state === 'failed');
    if (this.#loaded.state === 'failed') throw new UserError('usage', this.#loaded.problem);
    const own = keepingSeed(this.#form, form);
    const drawn = own.locked || keepSeed ? own : { ...own, seed: randomInt(2 ** 32 - mostImages) };
    const all = drawn.asGrid ? cellsOf(drawn, this.models) : settingsOf(drawn, this.models);
    const parts = all.map((settings) => {
      return { settings, model: this.models.find(({ model }) => model === settings.model)! };
    });
    await this.fill(drawn);
    const titles = new Set(parts.map(({ model }) => model.title));
    const made = await this.#generations.add([...titles].join(' | '), parts, signal);
    const entry = await this.history.add({ ...made, grid: drawn.asGrid ? drawn.grid : null });
    this.#viewChanged.fire();
    this.#finished.fire(entry);
    return entry;
  }

  /** The image of a form that may change again at once; null when it has, or when there is none to draw. */
  async drawLive(form: Form): Promise<LiveImage | null> {
    const settings = liveSettings(form, this.models);
    const model = this.models.find((info) => info.model === settings?.model);
    if (settings && model) return this.live.draw(settings, model);
    this.live.stop();
    return null;
  }

  /** The newest first, each once. */
  async prompts(): Promise<string[]> {
    return (await this.#remembered()).prompts;
  }

  cancel(job: string): void {
    this.#generations.cancel(job);
  }

  /** Puts settings into the form. Answers which of them did not fit, by name. */
  async restore(sides: readonly GenerateSettings[]): Promise<Restorable[]> {
    await this.load();
    const form = formOf(sides, this.#form);
    await this.fill(form);
    return lostSettings(sides, form, this.models);
  }

  /** The same for all images of an entry. */
  async restoreEntry(id: string): Promise<Restorable[]> {
    const entry = await this.history.entry(id);
    if (!entry.grid) return this.restore(entry.sides.map(({ settings }) => settings));
    await this.fill(formOfEntry(entry, this.#form));
    return [];
  }

  /**
   * Of another program's picture what can be used here, and says so.
   * @returns the settings that did not fit, by name; null where the person was told what is missing
   * @throws UserError('data') when there is nothing of the kind in the picture
   */
  async restorePng(png: Uint8Array, name: string): Promise<Restorable[] | null> {
    const { backend } = this.#services;
    const found = png.length > largestPng ? null : await backend.request(readPngSettings, { png });
    if (found) return this.restore([found.settings]);
    const foreign = png.length > largestPng ? null : await backend.request(readForeignPng, { png });
    const told = foreign && foreignText(foreign, name);
    if (!told) {
      const hint = l10n.t('Only PNG files made here carry them, unless that is switched off (dmd.images.metadata).');
      const message = foreign
        ? l10n.t('{0} was made by {1}; it carries no settings that can be restored', name, foreign.program)
        : l10n.t('{0} carries no settings to restore', name);
      throw new UserError('data', message, hint);
    }
    await this.load();
    await this.fill(formOfForeign(foreign, this.#form, this.models));
    void vscode.window.showInformationMessage(told);
    return null;
  }

  async delete(entry: string): Promise<void> {
    await this.history.delete(entry);
    this.#viewChanged.fire();
  }

  async setFavourite(entry: string, favourite: boolean): Promise<void> {
    await this.history.setFavourite(entry, favourite);
    this.#viewChanged.fire();
  }

  async undoDelete(): Promise<void> {
    await this.history.undoDelete();
    this.#viewChanged.fire();
  }

  async #remembered(): Promise<Pick<View, 'history' | 'prompts'>> {
    const history = await this.history.list();
    const prompts = history
      .map(({ sides }) => sides[0]?.settings.prompt ?? '')
      .filter((prompt) => prompt.trim() !== '');
    return { history, prompts: [...new Set(prompts)].slice(0, mostPrompts) };
  }

  async #load(): Promise<void> {
    const { backend, roots, modelFiles } = this.#services;
    try {
      const models = await backend.request(listModels, { roots: roots.list(), files: modelFiles.paths() });
      this.#loaded = { ...this.#loaded, models, state: 'ready', problem: '' };
    } catch (error) {
      const problem = isCancelled(error) ? '' : errorText(error, '').message;
      this.#loaded = { ...this.#loaded, models: [], state: 'failed', problem };
      this.#loading = null;
    }
    this.#viewChanged.fire();
    if (this.#loaded.state === 'ready' && this.#loaded.devices.length === 0) void this.#loadDevices();
  }

  /** Trying them takes seconds, and nothing waits for it. */
  async #loadDevices(): Promise<void> {
    try {
      this.#loaded = { ...this.#loaded, devices: await this.#services.backend.request(listDevices, {}) };
      this.#viewChanged.fire();
    } catch (error) {
      this.#services.errors.log(error, 'Could not list the devices');
    }
  }
}
