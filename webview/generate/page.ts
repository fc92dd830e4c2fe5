/** The page as a whole: shows the host's view, and passes on what the person does. */
import * as panel from '../../backend/protocol/panels/generate.ts';
import { sameValue } from '../../backend/protocol/panels/generate-form.ts';
import { element, fillWith } from '../shared/dom.ts';
import type { Host } from '../shared/host.ts';
import { button } from '../shared/toolkit.ts';
import { FormView } from './form-view.ts';
import { HistoryView } from './history-view.ts';
import { LiveView } from './live-view.ts';
import { Notice } from './notice.ts';
import { QueueView } from './queue-view.ts';
import { ResultsPanel } from './results-panel.ts';
import { restoredText, type Texts } from './texts.ts';
import { Unheard } from './unheard.ts';

const largestPng = 64 * 2 ** 20;

export class GeneratePage {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #text: Texts;
  readonly #notice: Notice;
  readonly #form: FormView;
  readonly #queue: QueueView;
  readonly #live: LiveView;
  readonly #results: ResultsPanel;
  readonly #history: HistoryView;
  readonly #message = element('div', { class: 'message' });
  readonly #unheard = new Unheard();
  #view: panel.View | null = null;
  #formVersion = -1;

  constructor(host: Host, text: Texts) {
    this.#host = host;
    this.#text = text;
    this.#notice = new Notice(text);
    this.#form = new FormView(text, {
      changed: (form) => {
        this.#tellForm(form);
        this.#followLive();
      },
      generate: () => this.#generate(),
      openPng: () => this.#try(() => this.#restorePng(null)),
      pickDecoder: () => this.#try(() => this.#pickDecoder()),
    });
    this.#queue = new QueueView(text, (job) => this.#try(() => host.request(panel.cancelJob, { job })));
    this.#results = new ResultsPanel(host, text, this.#notice, {
      useSeed: (seed) => this.#form.useSeed(seed),
      delete: (entry) => this.#try(() => this.#delete(entry)),
      try: (work) => this.#try(work),
    });
    this.#live = new LiveView(host, text, {
      failed: (error) => this.#notice.fail(error),
      changed: () => this.#showOne(),
      save: (live) => this.#try(() => this.#saveLive(live)),
      copy: (png) => this.#try(() => this.#results.copy(png)),
      useSeed: (seed) => this.#form.useSeed(seed),
    });
    this.#history = new HistoryView(text, {
      thumbnail: async (entry) => (await host.request(panel.readThumbnail, { entry })).png,
      show: (entry) => this.#try(() => this.#show(entry)),
      delete: (entry) => this.#try(() => this.#delete(entry)),
    });
    const results = element(
      'main',
      { class: 'results', 'aria-label': text('results') },
      this.#notice.element,
      this.#queue.element,
      this.#live.element,
      this.#message,
      this.#results.element,
      this.#history.element,
    );
    this.element = element('div', { class: 'page' }, this.#form.element, results, this.#results.dialog);
    this.#takeDrops();
  }

  async start(): Promise<void> {
    const host = this.#host;
    host.on(panel.viewChanged, (view) => this.#take(view));
    host.on(panel.jobsChanged, ({ jobs }) => this.#queue.show(jobs));
    host.on(panel.failed, ({ message }) => this.#notice.fail(new Error(message)));
    host.on(panel.finished, ({ entry, spoken }) => {
      this.#notice.clear();
      this.#notice.say(spoken);
      this.#try(() => this.#show(entry, true));
    });
    await this.#attempt(async () => this.#take(await host.request(panel.readView, {})));
  }

  #take(view: panel.View): void {
    const isFirst = this.#view === null;
    this.#view = view;
    const takeForm = view.formVersion !== this.#formVersion;
    this.#formVersion = view.formVersion;
    const form = takeForm ? this.#unheard.over(view.form, view.formHeard) : view.form;
    this.#form.show({ ...view, form }, takeForm);
    // What was generated stays in sight until the person changes something.
    if (view.show) this.#live.rest();
    else if (takeForm && (isFirst || this.#live.shown)) this.#followLive();
    if (takeForm && !sameValue(form, view.form)) this.#tellForm(form);
    this.#queue.show(view.jobs);
    this.#showMessage(view);
    const showing = this.#results.take(view, view.show);
    if (showing) this.#try(() => showing);
    this.#history.show(view.history, this.#results.shown);
  }

  #tellForm(form: panel.Form): void {
    this.#host.notify(panel.formChanged, { form, change: this.#unheard.changed(form) });
  }

  /** In place of pictures: what is missing, and what to do. */
  #showMessage({ state, problem, history }: panel.View): void {
    const text = this.#text;
    const retry = () => this.#try(() => this.#host.request(panel.reloadModels, {}));
    if (state === 'failed') {
      fillWith(
        this.#message,
        element('h2', {}, text('noModels')),
        element('p', { class: 'error' }, problem),
        button({ appearance: 'secondary', onclick: retry }, text('retry')),
      );
    } else if (state === 'loading') {
      fillWith(this.#message, element('p', { class: 'muted', role: 'status' }, text('loading')));
    } else if (history.length === 0) {
      fillWith(this.#message, element('h2', {}, text('empty')), element('p', { class: 'muted' }, text('emptyHint')));
    } else fillWith(this.#message);
  }

  async #show(entry: string, first = false): Promise<void> {
    this.#live.rest();
    await this.#results.show(entry, first);
    this.#history.show(this.#view?.history ?? [], entry);
  }

  /** One picture and not two. */
  #showOne(): void {
    const isLive = !this.#live.element.hidden;
    this.#results.element.hidden = isLive;
    this.#message.hidden = isLive;
  }

  /** Only a model of one step is fast enough to follow the typing. */
  #followLive(): void {
    const { form } = this.#form;
    const info = this.#view?.models.find(({ model }) => model === form?.model);
    const fits = info?.prompt && info.steps === 1 && info.problem === '';
    this.#live.follow(form?.live && fits && form.prompt.trim() !== '' ? form : null);
  }

  #generate(): void {
    const { form } = this.#form;
    if (!form) return;
    this.#notice.clear();
    const keep = this.#live.shown !== null && !form.asGrid;
    this.#try(() => this.#host.request(panel.start, { form, keep }));
  }

  async #pickDecoder(): Promise<void> {
    const folder = await this.#host.request(panel.pickDecoder, {});
    if (folder !== null) this.#form.useDecoder(folder);
  }

  async #saveLive(live: number): Promise<void> {
    const count = await this.#host.request(panel.saveLive, { live });
    if (count > 0) this.#notice.tell(this.#text('saved', count));
  }

  async #delete(entry: string): Promise<void> {
    await this.#host.request(panel.deleteEntry, { entry });
    const run = () => this.#try(() => this.#host.request(panel.undoDelete, {}));
    this.#notice.tell(this.#text('deleted'), { label: this.#text('undo'), run });
  }

  async #restorePng(png: Uint8Array<ArrayBuffer> | null): Promise<void> {
    const restored = await this.#host.request(panel.restorePng, { png });
    if (restored) this.#notice.tell(restoredText(restored.lost, this.#text));
  }

  /** A picture that is dropped restores its settings. */
  #takeDrops(): void {
    window.addEventListener('dragover', (event) => event.preventDefault());
    window.addEventListener('drop', (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer?.files ?? [];
      if (!file || file.size > largestPng) return;
      this.#try(async () => this.#restorePng(new Uint8Array(await file.arrayBuffer())));
    });
  }

  #try(work: () => Promise<unknown>): void {
    void this.#attempt(work);
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#notice.fail(error);
    }
  }
}
