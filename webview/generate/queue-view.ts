/** What waits and what is under way, each with how far it is and a way to stop it. */
import type { Job } from '../../backend/protocol/panels/generate.ts';
import { element, fillWith, setText } from '../shared/dom.ts';
import { button } from '../shared/toolkit.ts';
import type { Texts } from './texts.ts';

interface Row {
  readonly element: HTMLElement;
  readonly label: HTMLElement;
  readonly bar: HTMLProgressElement;
  readonly preview: HTMLImageElement;
}

export class QueueView {
  readonly element: HTMLElement;
  readonly #text: Texts;
  readonly #cancel: (job: string) => void;
  readonly #list = element('ul', {});
  /** Kept while a job lasts: a button that is remade under the pointer cannot be pressed. */
  #rows = new Map<string, Row>();

  constructor(text: Texts, cancel: (job: string) => void) {
    this.#text = text;
    this.#cancel = cancel;
    this.element = element('section', { class: 'queue', 'aria-label': text('queue') }, this.#list);
  }

  show(jobs: readonly Job[]): void {
    this.element.hidden = jobs.length === 0;
    const rows = new Map(jobs.map((job) => [job.id, this.#rows.get(job.id) ?? this.#row(job)]));
    if ([...rows.keys()].join() !== [...this.#rows.keys()].join()) {
      fillWith(this.#list, ...[...rows.values()].map((row) => row.element));
    }
    this.#rows = rows;
    for (const job of jobs) this.#update(rows.get(job.id)!, job);
  }

  #row({ id, title }: Job): Row {
    const label = element('span', { class: 'muted small' });
    const bar = element('progress', { max: 1, 'aria-label': title });
    const stop = button(
      {
        appearance: 'secondary',
        class: 'stop',
        'aria-label': `${this.#text('cancel')}: ${title}`,
        onclick: () => this.#cancel(id),
      },
      this.#text('cancel'),
    );
    const preview = element('img', { class: 'so-far', alt: this.#text('soFar'), hidden: true });
    const row = element('li', {}, preview, element('span', { class: 'grow' }, title), label, bar, stop);
    return { element: row, label, bar, preview };
  }

  #update({ label, bar, preview }: Row, { label: stage, done, total, preview: png }: Job): void {
    if (png) this.#showPreview(preview, png);
    // Parts of an image are for the bar.
    const whole = Math.floor(done);
    setText(label, whole > 0 ? `${stage}: ${this.#text('done', whole, total)}` : stage);
    if (done > 0) bar.value = done / total;
    else bar.removeAttribute('value');
  }

  #showPreview(image: HTMLImageElement, png: Uint8Array): void {
    if (image.src) URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    image.hidden = false;
  }
}
