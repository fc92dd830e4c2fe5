/** The page as a whole: shows the host's view, and passes on what the person does. */
import { z } from '../../backend/protocol/config/zod.ts';
import * as panel from '../../backend/protocol/panels/generate.ts';
import { element, fillWith } from '../shared/dom.ts';
import type { Host } from '../shared/host.ts';
import { FormView } from './form-view.ts';
import { HistoryView } from './history-view.ts';
import { LiveView } from './live-view.ts';
import { Notice } from './notice.ts';
import { QueueView } from './queue-view.ts';
import { ResultsView, type Selected } from './results-view.ts';
import type { Texts } from './texts.ts';
import { Unheard } from './unheard.ts';

/** What outlives the page: which pictures are looked at. */
const savedSchema = z.object({ shown: z.string(), side: z.int().min(0), image: z.int().min(0) });

const largestPng = 64 * 2 ** 20;

export class GeneratePage {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #text: Texts;
  readonly #notice: Notice;
  readonly #form: FormView;
  readonly #queue: QueueView;
  readonly #live: LiveView;
  readonly #results: ResultsView;
  readonly #history: HistoryView;
  readonly #message = element('div', { class: 'message' });
  readonly #toolbar = element('div', { class: 'toolbar' });
  #view: panel.View | null = null;
  #formVersion = -1;
  readonly #unheard = new Unheard();
  #shown = '';
  #selected: Selected = { side: 0, image: 0 };
  #urls: string[][] = [];
  /** The pictures themselves: the page's policy lets nothing be fetched. */
  #blobs: Blob[][] = [];
  /** Counts questions for pictures: only the newest one's answer counts. */
  #asked = 0;

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
    });
    this.#queue = new QueueView(text, (job) => this.#try(() => host.request(panel.cancelJob, { job })));
    this.#live = new LiveView(host, text, (error) => this.#notice.fail(error));
    this.#results = new ResultsView(text, (selected) => this.#select(selected));
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
      this.#toolbar,
      this.#history.element,
    );
    this.element = element('div', { class: 'page' }, this.#form.element, results);
    this.#takeDrops();
  }

  async start(): Promise<void> {
    const host = this.#host;
    const saved = host.load(savedSchema);
    if (saved) {
      this.#shown = saved.shown;
      this.#selected = { side: saved.side, image: saved.image };
    }
    host.on(panel.viewChanged, (view) => this.#take(view));
    host.on(panel.jobsChanged, ({ jobs }) => this.#queue.show(jobs));
    host.on(panel.failed, ({ message }) => this.#notice.fail(new Error(message)));
    host.on(panel.finished, ({ entry, spoken }) => {
      this.#notice.clear();
      this.#notice.say(spoken);
      this.#selected = { side: 0, image: 0 };
      this.#try(() => this.#show(entry));
    });
    await this.#attempt(async () => this.#take(await host.request(panel.readView, {})));
  }

  #take(view: panel.View): void {
    this.#view = view;
    const takeForm = view.formVersion !== this.#formVersion;
    this.#formVersion = view.formVersion;
    const form = takeForm ? this.#unheard.over(view.form, view.formHeard) : view.form;
    this.#form.show({ ...view, form }, takeForm);
    if (takeForm) this.#followLive();
    if (takeForm && !sameForm(form, view.form)) this.#tellForm(form);
    this.#queue.show(view.jobs);
    const wanted = view.show || this.#shown;
    const known = view.history.some(({ id }) => id === wanted) ? wanted : (view.history[0]?.id ?? '');
    this.#history.show(view.history, known);
    this.#showMessage(view);
    if (known !== this.#shown || (known !== '' && this.#urls.length === 0)) this.#try(() => this.#show(known));
    else this.#showToolbar();
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
        element('vscode-button', { appearance: 'secondary', onclick: retry }, text('retry')),
      );
    } else if (state === 'loading') {
      fillWith(this.#message, element('p', { class: 'muted', role: 'status' }, text('loading')));
    } else if (history.length === 0) {
      fillWith(this.#message, element('h2', {}, text('empty')), element('p', { class: 'muted' }, text('emptyHint')));
    } else fillWith(this.#message);
  }

  async #show(id: string): Promise<void> {
    const question = ++this.#asked;
    const entry = this.#view?.history.find((one) => one.id === id);
    if (id !== this.#shown) this.#selected = { side: 0, image: 0 };
    this.#shown = id;
    this.#save();
    const sides = entry ? (await this.#host.request(panel.readImages, { entry: id })).sides : [];
    if (question !== this.#asked) return;
    for (const url of this.#urls.flat()) URL.revokeObjectURL(url);
    this.#blobs = sides.map((side) => side.map(pngBlob));
    this.#urls = this.#blobs.map((side) => side.map((blob) => URL.createObjectURL(blob)));
    if (entry) this.#results.show(entry, this.#urls, this.#selected);
    else this.#results.clear();
    this.#history.show(this.#view?.history ?? [], id);
    this.#showToolbar();
  }

  #select(selected: Selected): void {
    this.#selected = selected;
    this.#save();
  }

  #save(): void {
    this.#host.save({ shown: this.#shown, ...this.#selected });
  }

  /** Actions on the selected picture, then on the whole generation. */
  #showToolbar(): void {
    const text = this.#text;
    const document = this.#view?.document ?? '';
    const entry = this.#view?.history.find(({ id }) => id === this.#shown);
    if (!entry) {
      fillWith(this.#toolbar);
      return;
    }
    const ref = () => ({ entry: entry.id, ...this.#selected });
    const host = this.#host;
    const button = (id: string, label: string, run: () => Promise<unknown>, appearance = 'secondary') =>
      element('vscode-button', { id, appearance, onclick: () => this.#try(run) }, label);
    const insert = button('insert', document ? text('insert', document) : text('insert', 'Markdown'), async () => {
      this.#notice.tell(text('inserted', await host.request(panel.insertImage, ref())));
    });
    if (document === '') {
      insert.toggleAttribute('disabled', true);
      insert.title = text('insertNone');
    }
    const several = entry.sides.length * entry.sides[0]!.images.length > 1;
    const { settings, role } = entry.sides[this.#selected.side] ?? entry.sides[0]!;
    const info = this.#view?.models.find(({ model }) => model === settings.model);
    // The fake score is with the run that made the generator.
    const inspectable = role === 'generator' && (info?.run ?? null) !== null;
    const said = (count: number) => count > 0 && this.#notice.tell(text('saved', count));
    const restore = async (image?: number) => {
      const { side } = this.#selected;
      await host.request(panel.restoreEntry, { entry: entry.id, side, ...(image === undefined ? {} : { image }) });
      this.#notice.tell(text('restored'));
    };
    fillWith(
      this.#toolbar,
      element(
        'div',
        { class: 'group', role: 'toolbar', 'aria-label': text('selected') },
        button('save', text('save'), async () => said(await host.request(panel.saveImage, ref()))),
        button('copy', text('copy'), () => this.#copy()),
        insert,
        inspectable && button('inspect', text('inspect'), () => host.request(panel.inspectImage, ref())),
        several && button('restoreImage', text('restoreImage'), () => restore(this.#selected.image)),
      ),
      element(
        'div',
        { class: 'group', role: 'toolbar', 'aria-label': text('results') },
        button('restore', text('restore'), () => restore()),
        several &&
          button('saveAll', text('saveAll'), async () => said(await host.request(panel.saveAll, { entry: entry.id }))),
        button('delete', text('delete'), () => this.#delete(entry.id)),
      ),
    );
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
    this.#try(() => this.#host.request(panel.start, form));
  }

  async #copy(): Promise<void> {
    const png = this.#blobs[this.#selected.side]?.[this.#selected.image];
    if (!png) return;
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    this.#notice.tell(this.#text('copied'));
  }

  async #delete(entry: string): Promise<void> {
    await this.#host.request(panel.deleteEntry, { entry });
    const run = () => this.#try(() => this.#host.request(panel.undoDelete, {}));
    this.#notice.tell(this.#text('deleted'), { label: this.#text('undo'), run });
  }

  async #restorePng(png: Uint8Array<ArrayBuffer> | null): Promise<void> {
    if (await this.#host.request(panel.restorePng, { png })) this.#notice.tell(this.#text('restored'));
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

function pngBlob(png: Uint8Array): Blob {
  return new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' });
}

function sameForm(a: panel.Form, b: panel.Form): boolean {
  return (Object.keys(a) as (keyof panel.Form)[]).every((key) => a[key] === b[key]);
}
