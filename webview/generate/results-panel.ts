/** The generation that is looked at: its actions, its pictures, and one of them large. */
import { z } from '../../backend/protocol/config/zod.ts';
import * as panel from '../../backend/protocol/panels/generate.ts';
import type { Seed } from '../../backend/protocol/seed.ts';
import { element } from '../shared/dom.ts';
import type { Host } from '../shared/host.ts';
import { ActionsView } from './actions-view.ts';
import { EntryPictures } from './entry-pictures.ts';
import type { Notice } from './notice.ts';
import { ResultsView, type Selected } from './results-view.ts';
import { restoredText, type Texts } from './texts.ts';
import { type ZoomPicture, ZoomView } from './zoom-view.ts';

/** What outlives the page: which picture is looked at. */
const savedSchema = z.object({ shown: z.string(), side: z.int().min(0), image: z.int().min(0) });

export interface ResultsPanelActions {
  useSeed(seed: Seed): void;
  delete(entry: string): void;
  /** Does what may fail. */
  try(work: () => Promise<unknown>): void;
}

export class ResultsPanel {
  readonly element: HTMLElement;
  readonly dialog: HTMLElement;
  readonly #host: Host;
  readonly #text: Texts;
  readonly #notice: Notice;
  readonly #does: ResultsPanelActions;
  readonly #actions: ActionsView;
  readonly #results: ResultsView;
  readonly #zoom: ZoomView;
  readonly #pictures: EntryPictures;
  #view: panel.View | null = null;
  #shown = '';
  #selected: Selected = { side: 0, image: 0 };

  constructor(host: Host, text: Texts, notice: Notice, does: ResultsPanelActions) {
    this.#host = host;
    this.#text = text;
    this.#notice = notice;
    this.#does = does;
    this.#pictures = new EntryPictures(host);
    this.#zoom = new ZoomView(text, (index) => this.#select(this.#all()[index]!, true));
    this.dialog = this.#zoom.element;
    this.#results = new ResultsView(text, {
      select: (selected) => this.#select(selected, false),
      zoom: (selected) => {
        this.#select(selected, false);
        this.#enlarge(null);
      },
      useSeed: (seed) => does.useSeed(seed),
    });
    this.#actions = new ActionsView(text, {
      zoom: () => this.#enlarge(null),
      compare: () => this.#compare(),
      keepToCompare: () => does.try(() => this.#keep()),
      save: () => this.#do(async () => this.#said(await host.request(panel.saveImage, this.#ref()))),
      copy: () => this.#do(() => this.copy(this.#pictures.blob(this.#selected.side, this.#selected.image))),
      insert: () =>
        this.#do(async () => notice.tell(text('inserted', await host.request(panel.insertImage, this.#ref())))),
      inspect: () => this.#do(() => host.request(panel.inspectImage, this.#ref())),
      restore: (all) => this.#do(() => this.#restore(all)),
      saveAll: () => this.#do(async () => this.#said(await host.request(panel.saveAll, { entry: this.#shown }))),
      favourite: (favourite) => this.#do(() => host.request(panel.setFavourite, { entry: this.#shown, favourite })),
      delete: () => does.delete(this.#shown),
    });
    this.element = element('div', { class: 'shown' }, this.#actions.element, this.#results.element);
    const saved = host.load(savedSchema);
    if (!saved) return;
    this.#shown = saved.shown;
    this.#selected = { side: saved.side, image: saved.image };
  }

  /** The entry that is looked at, '' for none. */
  get shown(): string {
    return this.#shown;
  }

  /** Shows what the host has now. @param wanted the entry to look at; '' stays with the one before */
  take(view: panel.View, wanted: string): Promise<void> | null {
    const before = this.#entry;
    this.#view = view;
    const asked = wanted || this.#shown;
    const known = view.history.some(({ id }) => id === asked) ? asked : (view.history[0]?.id ?? '');
    if (known !== this.#shown || (known !== '' && this.#pictures.urls.length === 0) || !before) return this.show(known);
    this.#showActions();
    return null;
  }

  async show(id: string, first = false): Promise<void> {
    if (first || id !== this.#shown) this.#selected = { side: 0, image: 0 };
    this.#shown = id;
    this.#save();
    const entry = this.#entry;
    if (!(await this.#pictures.load(entry?.id ?? null))) return;
    if (entry) this.#results.show(entry, this.#pictures.urls, this.#selected);
    else this.#results.clear();
    this.#showActions();
  }

  async copy(png: Blob | undefined): Promise<void> {
    if (!png) return;
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    this.#notice.tell(this.#text('copied'));
  }

  get #entry(): panel.Entry | undefined {
    return this.#view?.history.find(({ id }) => id === this.#shown);
  }

  #do(work: () => Promise<unknown>): void {
    this.#does.try(work);
  }

  #ref() {
    return { entry: this.#shown, ...this.#selected };
  }

  #said(count: number): void {
    if (count > 0) this.#notice.tell(this.#text('saved', count));
  }

  async #restore(all: boolean): Promise<void> {
    const { image, ...whole } = this.#ref();
    const { lost } = await this.#host.request(panel.restoreEntry, all ? whole : { ...whole, image });
    this.#notice.tell(restoredText(lost, this.#text));
  }

  #select(selected: Selected, shows: boolean): void {
    this.#selected = selected;
    if (shows) this.#results.select(selected);
    this.#save();
    this.#showActions();
  }

  #save(): void {
    this.#host.save({ shown: this.#shown, ...this.#selected });
  }

  #showActions(): void {
    const entry = this.#entry;
    if (!entry || !this.#view) {
      this.#actions.clear();
      return;
    }
    const { settings, role } = (entry.sides[this.#selected.side] ?? entry.sides[0]!) satisfies panel.Side;
    const info = this.#view.models.find(({ model }) => model === settings.model);
    this.#actions.show({
      ...{ entry, selected: this.#selected, document: this.#view.document },
      // The fake score is with the run that made the generator.
      inspectable: role === 'generator' && (info?.run ?? null) !== null,
      comparable: this.#all().length > 1 || this.#zoom.kept !== null,
    });
  }

  /** Every picture of the entry, side after side. */
  #all(): Selected[] {
    return (this.#entry?.sides ?? []).flatMap(({ images }, side) => images.map((_, image) => ({ side, image })));
  }

  #at(): number {
    return Math.max(
      0,
      this.#all().findIndex(({ side, image }) => side === this.#selected.side && image === this.#selected.image),
    );
  }

  #zoomPictures(): ZoomPicture[] {
    return this.#all().map(({ side, image }) => {
      const made = this.#entry!.sides[side]!;
      const { className, seed } = made.images[image]!;
      const name = [made.title, className, this.#text('seedOf', seed)].filter(Boolean).join(', ');
      return { name, url: this.#pictures.urls[side]?.[image] ?? '', width: made.width, height: made.height };
    });
  }

  #enlarge(compare: number | 'kept' | null): void {
    this.#zoom.open(this.#zoomPictures(), this.#at(), compare);
  }

  /** With what was kept for it, else with its twin of the other side, else with its neighbour. */
  #compare(): void {
    const all = this.#all();
    const { side, image } = this.#selected;
    const twin = all.findIndex((one) => one.side !== side && one.image === image);
    const neighbour = this.#at() === 0 ? 1 : this.#at() - 1;
    this.#enlarge(this.#zoom.kept ? 'kept' : twin >= 0 ? twin : neighbour);
  }

  /** The picture stays when another generation is looked at. */
  async #keep(): Promise<void> {
    const blob = this.#pictures.blob(this.#selected.side, this.#selected.image);
    const picture = this.#zoomPictures()[this.#at()];
    if (!blob || !picture) return;
    if (this.#zoom.kept) URL.revokeObjectURL(this.#zoom.kept.url);
    this.#zoom.keep({ ...picture, url: URL.createObjectURL(blob) });
    this.#notice.tell(this.#text('keptToCompare'));
    this.#showActions();
  }
}
