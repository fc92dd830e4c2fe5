/**
 * The image of the prompt as far as it is typed: at most one question is under way, and the latest form is asked next. It rests
 * while what was generated is looked at, so that there is one picture and not two.
 */
import * as panel from '../../backend/protocol/panels/generate.ts';
import { sameValue } from '../../backend/protocol/panels/generate-form.ts';
import type { Seed } from '../../backend/protocol/seed.ts';
import { element, fillWith, setText } from '../shared/dom.ts';
import type { Host } from '../shared/host.ts';
import { layoutOf } from './grid-layout.ts';
import { duration, type Texts } from './texts.ts';

export interface LiveActions {
  failed(error: unknown): void;
  /** Whether it is shown, in place of other pictures. */
  changed(): void;
  save(live: number): void;
  copy(picture: Blob): void;
  useSeed(seed: Seed): void;
}

interface Shown {
  readonly form: panel.Form;
  readonly live: number;
  readonly blob: Blob;
}

export class LiveView {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #text: Texts;
  readonly #actions: LiveActions;
  readonly #picture = element('img', { alt: '', draggable: false });
  readonly #time = element('span', { class: 'time number' });
  readonly #seed = element('span', { class: 'number' });
  readonly #notes = element('div', {});
  #next: panel.Form | null = null;
  #shown: Shown | null = null;
  #following = false;
  #busy = false;
  #url = '';

  constructor(host: Host, text: Texts, actions: LiveActions) {
    this.#host = host;
    this.#text = text;
    this.#actions = actions;
    const button = (id: string, label: string, run: (shown: Shown) => void) =>
      element('button', { type: 'button', class: 'plain', id, onclick: () => this.#shown && run(this.#shown) }, label);
    this.element = element(
      'section',
      { class: 'live', 'aria-label': text('liveTitle') },
      element('header', {}, element('h2', {}, text('liveTitle')), this.#time, this.#seed),
      element(
        'div',
        { class: 'group', role: 'toolbar', 'aria-label': text('liveTitle') },
        button('saveLive', text('save'), ({ live }) => actions.save(live)),
        button('copyLive', text('copy'), ({ blob }) => actions.copy(blob)),
        button('seedLive', text('lockSeed'), ({ form }) => actions.useSeed(form.seed)),
      ),
      this.#picture,
      this.#notes,
      element('p', { class: 'muted small' }, text('keepLive')),
    );
    this.element.hidden = true;
  }

  /** The form whose image is in sight; null when none is. */
  get shown(): panel.Form | null {
    return this.element.hidden ? null : (this.#shown?.form ?? null);
  }

  /** Null: nothing is to be shown live. */
  follow(form: panel.Form | null): void {
    this.#next = form;
    this.#following = form !== null;
    if (!form) this.#hide();
    else if (this.#shown && isSamePicture(this.#shown.form, form)) this.#reveal();
    if (!this.#busy) void this.#draw();
  }

  /** Gives way to other pictures, until the form changes again. */
  rest(): void {
    this.follow(null);
  }

  #hide(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.#actions.changed();
  }

  #reveal(): void {
    if (!this.element.hidden) return;
    this.element.hidden = false;
    this.#actions.changed();
  }

  async #draw(): Promise<void> {
    this.#busy = true;
    try {
      for (let form = this.#next; form; form = this.#next) {
        this.#next = null;
        if (this.#shown && isSamePicture(this.#shown.form, form)) continue;
        const drawn = await this.#host.request(panel.drawLive, form);
        if (drawn && this.#following) this.#show(drawn, form);
      }
    } catch (error) {
      this.#actions.failed(error);
    } finally {
      this.#busy = false;
    }
  }

  #show({ live, png, width, height, millisecondsPerImage, notes }: panel.Live, form: panel.Form): void {
    const before = this.#url;
    const blob = new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' });
    this.#shown = { form, live, blob };
    this.#url = URL.createObjectURL(blob);
    this.#picture.src = this.#url;
    if (before) URL.revokeObjectURL(before);
    this.#picture.alt = form.prompt;
    const room = {
      width: (this.element.parentElement?.clientWidth ?? 400) - 40,
      height: Math.max(220, innerHeight - 320),
    };
    const { size } = layoutOf(1, { width, height }, room);
    this.#picture.style.width = `${size}px`;
    this.#picture.classList.toggle('pixels', width < size);
    setText(this.#time, this.#text('perImage', duration(millisecondsPerImage)));
    setText(this.#seed, this.#text('seedOf', form.seed));
    fillWith(this.#notes, ...notes.map((note) => element('p', { class: 'note small' }, note)));
    this.#reveal();
  }
}

const decisive = ['model', 'prompt', 'seed', 'size', 'decoder', 'device'] as const;

function isSamePicture(a: panel.Form, b: panel.Form): boolean {
  return decisive.every((key) => sameValue(a[key], b[key]));
}
