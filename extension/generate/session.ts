/**
 * Generating images as the command and the panel share it: the form as it was left, the models, the queue and the
 * history. The panel only shows what is here.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../backend/protocol/errors.ts';
import { type Entry, type Form, formSchema, mostImages, type View } from '../../backend/protocol/panels/generate.ts';
import {
  type Generated,
  type GenerateSettings,
  generateImages,
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
import { foreignText } from './foreign-text.ts';
import { defaultForm, formOf, formOfForeign, liveSettings, settingsOf } from './form.ts';
import { Generations } from './generations.ts';
import { History } from './history.ts';

const { l10n } = vscode;
const formKey = 'dmd.generate.form';
const largestPng = 64 * 2 ** 20;
const mebibyte = 2 ** 20;
const mostPrompts = 100;

type Loaded = Pick<View, 'state' | 'problem' | 'models' | 'devices'>;

export class GenerateSession implements vscode.Disposable {
  readonly history: History;
  readonly document = new ActiveDocument();
  readonly #services: Services;
  readonly #memory: vscode.Memento;
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
  /** Of the latest live image. */
  #overtaken = new AbortController();

  readonly onDidChangeView = this.#viewChanged.event;
  readonly onDidChangeJobs = this.#jobsChanged.event;
  readonly onDidFinish = this.#finished.event;

  constructor(context: vscode.ExtensionContext, services: Services) {
    this.#services = services;
    this.#memory = context.globalState;
    const { backend, roots, modelFiles, runs } = services;
    this.history = new History(join(context.globalStorageUri.fsPath, 'images'), historyLimits);
    this.#generations = new Generations(
      (id, settings, signal) => ask(backend, id, settings, signal),
      stageWord,
      () => this.#jobsChanged.fire(),
    );
    const remembered = formSchema.safeParse(context.globalState.get(formKey));
    this.#form = remembered.success ? remembered.data : defaultForm;
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
    this.#overtaken.abort();
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
    await this.#memory.update(formKey, form);
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
  async generate(form: Form, signal?: AbortSignal): Promise<Entry> {
    await this.load(this.#loaded.state === 'failed');
    if (this.#loaded.state === 'failed') throw new UserError('usage', this.#loaded.problem);
    const drawn = form.locked ? form : { ...form, seed: randomInt(2 ** 32 - mostImages) };
    const parts = settingsOf(drawn, this.models).map((settings) => {
      return { settings, model: this.models.find(({ model }) => model === settings.model)! };
    });
    await this.fill(drawn);
    const made = await this.#generations.add(parts.map(({ model }) => model.title).join(' | '), parts, signal);
    const entry = await this.history.add(made.sides, made.pictures);
    this.#viewChanged.fire();
    this.#finished.fire(entry);
    return entry;
  }

  /** The image of a form that may change again at once; null when it has, or when there is none to draw. */
  async drawLive(form: Form): Promise<Generated | null> {
    const settings = liveSettings(form, this.models);
    this.#overtaken.abort();
    if (!settings) return null;
    const own = new AbortController();
    this.#overtaken = own;
    try {
      return await ask(this.#services.backend, 'live', settings, own.signal);
    } catch (error) {
      if (own.signal.aborted) return null;
      throw error;
    }
  }

  /** The newest first, each once. */
  async prompts(): Promise<string[]> {
    return (await this.#remembered()).prompts;
  }

  cancel(job: string): void {
    this.#generations.cancel(job);
  }

  /** Puts settings into the form. */
  async restore(sides: readonly GenerateSettings[]): Promise<void> {
    await this.fill(formOf(sides, this.#form));
  }

  /**
   * Of another program's picture what can be used here, and says so.
   * @returns whether the form has all that the picture depends on
   * @throws UserError('data') when there is nothing of the kind in the picture
   */
  async restorePng(png: Uint8Array, name: string): Promise<boolean> {
    const { backend } = this.#services;
    const found = png.length > largestPng ? null : await backend.request(readPngSettings, { png });
    if (found) {
      await this.restore([found.settings]);
      return true;
    }
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
    return false;
  }

  async delete(entry: string): Promise<void> {
    await this.history.delete(entry);
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

async function ask(backend: Services['backend'], id: string, settings: GenerateSettings, signal: AbortSignal) {
  const source = new vscode.CancellationTokenSource();
  const cancel = () => source.cancel();
  signal.addEventListener('abort', cancel);
  try {
    const metadata = vscode.workspace.getConfiguration('dmd.images').get('metadata', true);
    return await backend.request(generateImages, { id, settings, metadata }, source.token);
  } finally {
    signal.removeEventListener('abort', cancel);
    source.dispose();
  }
}

function stageWord(stage: string): string {
  const words: Record<string, string> = {
    waiting: l10n.t('Waiting'),
    starting: l10n.t('Starting'),
    'choosing a device': l10n.t('Trying the devices'),
    loading: l10n.t('Loading the model'),
    sampling: l10n.t('Generating'),
  };
  return words[stage] ?? stage;
}

function historyLimits() {
  const settings = vscode.workspace.getConfiguration('dmd.images');
  const number = (key: string, otherwise: number) => {
    const value = settings.get<unknown>(key);
    return typeof value === 'number' && value >= 1 ? value : otherwise;
  };
  return { entries: number('historyEntries', 200), bytes: number('historyMegabytes', 256) * mebibyte };
}
