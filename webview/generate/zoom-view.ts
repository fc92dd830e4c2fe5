/** One picture in the whole window, or two on one another with a line to drag. Arrow keys go to the next one, Escape goes back. */
import type { GenerateTexts } from '../../backend/protocol/panels/generate-texts.ts';
import { element, icon, setText } from '../shared/dom.ts';
import { icons } from '../shared/icons.ts';
import { Choice } from './choice.ts';
import { PictureStage } from './picture-stage.ts';
import type { Texts } from './texts.ts';

export interface ZoomPicture {
  readonly url: string;
  /** Says what it shows. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

const step = 1.5;
/** Around the stage: the bar above it and the edges. */
const [sides, bars] = [32, 96];

export class ZoomView {
  readonly element: HTMLDialogElement;
  readonly #text: Texts;
  readonly #stage: PictureStage;
  readonly #name = element('h2', { class: 'grow' });
  readonly #zoom = element('span', { class: 'number', role: 'status' });
  readonly #with: Choice;
  readonly #onMove: (index: number) => void;
  #pictures: readonly ZoomPicture[] = [];
  #at = 0;
  /** Kept from another generation, to be compared with. */
  #kept: ZoomPicture | null = null;

  /** @param onMove told which picture is shown now */
  constructor(text: Texts, onMove: (index: number) => void) {
    this.#text = text;
    this.#onMove = onMove;
    this.#stage = new PictureStage(text('compareLine'));
    this.#with = new Choice('compareWith', text('compareWith'), () => this.#show());
    const button = (name: keyof GenerateTexts, path: string, run: () => void) =>
      element(
        'button',
        { type: 'button', class: 'plain', 'aria-label': text(name), title: text(name), onclick: run },
        icon(path),
      );
    const { viewport } = this.#stage;
    this.element = element(
      'dialog',
      { class: 'zoom', 'aria-label': text('zoom') },
      element(
        'header',
        { class: 'zoom-bar' },
        button('previousImage', icons.previous, () => this.#go(-1)),
        button('nextImage', icons.next, () => this.#go(1)),
        this.#name,
        this.#with.element,
        button('zoomOut', zoomIcons.out, () => viewport.zoomBy(1 / step)),
        this.#zoom,
        button('zoomIn', zoomIcons.in, () => viewport.zoomBy(step)),
        button('zoomWhole', zoomIcons.whole, () => viewport.reset()),
        button('close', icons.close, () => this.element.close()),
      ),
      this.#stage.element,
      element('p', { class: 'muted small' }, text('zoomHint')),
    );
    viewport.onChange.on(() => this.#showZoom());
    this.element.addEventListener('keydown', (event) => this.#key(event));
    window.addEventListener('resize', () => this.#fit());
  }

  /** @param compare begins beside the picture of this index */
  open(pictures: readonly ZoomPicture[], at: number, compare: number | 'kept' | null = null): void {
    this.#pictures = pictures;
    this.#at = at;
    this.#stage.viewport.reset();
    this.#offer();
    this.#with.show(this.#options(), compare === null ? '' : String(compare));
    if (!this.element.open) this.element.showModal();
    this.#show();
  }

  /** Keeps a picture beyond its generation. Its URL must stay good. */
  keep(picture: ZoomPicture | null): void {
    this.#kept = picture;
  }

  get kept(): ZoomPicture | null {
    return this.#kept;
  }

  #offer(): void {
    const { value } = this.#with;
    const options = this.#options();
    const known = options.some((option) => option.value === value);
    this.#with.show(options, known ? value : '');
    this.#with.visible(options.length > 1);
  }

  #options() {
    const others = this.#pictures.map(({ name }, i) => ({ value: String(i), label: `${i + 1}. ${name}` }));
    return [
      { value: '', label: this.#text('compareNone') },
      ...(this.#kept ? [{ value: 'kept', label: this.#text('compareKept', this.#kept.name) }] : []),
      ...others.filter((_, i) => i !== this.#at),
    ];
  }

  #go(by: number): void {
    const { length } = this.#pictures;
    if (length < 2) return;
    this.#at = (this.#at + by + length) % length;
    this.#offer();
    this.#show();
    this.#onMove(this.#at);
  }

  #show(): void {
    const picture = this.#pictures[this.#at];
    if (!picture) return;
    const { value } = this.#with;
    const second = value === '' ? null : value === 'kept' ? this.#kept : (this.#pictures[Number(value)] ?? null);
    setText(this.#name, second ? `${picture.name} | ${second.name}` : picture.name);
    this.#stage.show(picture.url, second?.url ?? null);
    this.#fit();
    this.#showZoom();
  }

  /** As large as the window has room, by whole numbers where pixels are seen. */
  #fit(): void {
    const picture = this.#pictures[this.#at];
    if (!picture || !this.element.open) return;
    const room = Math.min((innerWidth - sides) / picture.width, (innerHeight - bars) / picture.height);
    const scale = room >= 2 ? Math.floor(room) : room;
    const { style } = this.#stage.element;
    style.width = `${picture.width * scale}px`;
    style.height = `${picture.height * scale}px`;
    this.#stage.element.classList.toggle('pixels', scale * this.#stage.viewport.zoom >= 2);
    this.#showZoom();
  }

  #showZoom(): void {
    const picture = this.#pictures[this.#at];
    if (!picture) return;
    const scale = (this.#stage.element.clientWidth / picture.width) * this.#stage.viewport.zoom;
    this.#stage.element.classList.toggle('pixels', scale >= 2);
    setText(this.#zoom, `${(scale * 100).toFixed(0)} %`);
  }

  #key(event: KeyboardEvent): void {
    if ((event.target as HTMLElement).localName === 'select') return;
    const { viewport } = this.#stage;
    const ways: Record<string, () => void> = {
      ArrowLeft: () => this.#go(-1),
      ArrowRight: () => this.#go(1),
      '+': () => viewport.zoomBy(step),
      '-': () => viewport.zoomBy(1 / step),
      '0': () => viewport.reset(),
    };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    way();
  }
}

const zoomIcons = {
  in: 'M7.300 3h1.400v4.300H13v1.400H8.700V13H7.300V8.700H3V7.300h4.300z',
  out: 'M3 7.300h10v1.400H3z',
  whole: 'M2 2h4v1.400H3.400V6H2zM10 2h4v4h-1.400V3.400H10zM2 10h1.400v2.600H6V14H2zM12.600 10H14v4h-4v-1.400h2.600z',
};
