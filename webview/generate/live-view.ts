/** The image of the prompt as far as it is typed: at most one question is under way, and the latest form is asked next. */
import * as panel from '../../backend/protocol/panels/generate.ts';
import { element, fillWith } from '../shared/dom.ts';
import type { Host } from '../shared/host.ts';
import { duration, type Texts } from './texts.ts';

/** Small pictures are shown this large. */
const shownSize = 256;

export class LiveView {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #text: Texts;
  readonly #onError: (error: unknown) => void;
  readonly #picture = element('img', { alt: '', draggable: false });
  readonly #time = element('p', { class: 'time' });
  readonly #notes = element('div', {});
  #next: panel.Form | null = null;
  #busy = false;
  #url = '';

  constructor(host: Host, text: Texts, onError: (error: unknown) => void) {
    this.#host = host;
    this.#text = text;
    this.#onError = onError;
    this.element = element(
      'section',
      { class: 'live', 'aria-label': text('liveTitle') },
      element('header', {}, element('h2', {}, text('liveTitle')), this.#time),
      this.#picture,
      this.#notes,
      element('p', { class: 'muted small' }, text('keepLive')),
    );
    this.element.hidden = true;
  }

  /** Null: nothing is to be shown live. */
  follow(form: panel.Form | null): void {
    this.#next = form;
    if (!form) this.element.hidden = true;
    if (!this.#busy) void this.#draw();
  }

  async #draw(): Promise<void> {
    this.#busy = true;
    try {
      for (let form = this.#next; form; form = this.#next) {
        this.#next = null;
        const drawn = await this.#host.request(panel.drawLive, form);
        if (drawn) this.#show(drawn, form.prompt);
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#busy = false;
    }
  }

  #show({ png, width, millisecondsPerImage, notes }: panel.Live, prompt: string): void {
    const before = this.#url;
    this.#url = URL.createObjectURL(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    this.#picture.src = this.#url;
    if (before) URL.revokeObjectURL(before);
    this.#picture.alt = prompt;
    const size = Math.max(shownSize, Math.min(width, 512));
    this.#picture.style.width = `${size}px`;
    this.#picture.classList.toggle('pixels', width < size);
    const time = this.#text('perImage', duration(millisecondsPerImage));
    fillWith(this.#time, element('strong', { class: 'number' }, time));
    fillWith(this.#notes, ...notes.map((note) => element('p', { class: 'note small' }, note)));
    this.element.hidden = false;
  }
}
