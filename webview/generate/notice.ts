/** What happened, in words: an error stays until it is dismissed, news until the next; screen readers say both. */
import { element, fillWith } from '../shared/dom.ts';
import { HostError, isCancelled } from '../shared/host.ts';
import { button } from '../shared/toolkit.ts';
import type { Texts } from './texts.ts';

export interface NoticeAction {
  readonly label: string;
  run(): void;
}

export class Notice {
  readonly element = element('div', { class: 'notice' });
  readonly #said = element('div', { class: 'spoken', role: 'status', 'aria-live': 'polite' });
  readonly #bar = element('div', {});
  readonly #text: Texts;

  constructor(text: Texts) {
    this.#text = text;
    this.element.append(this.#said, this.#bar);
  }

  /** Heard, not seen. */
  say(text: string): void {
    this.#said.textContent = text;
  }

  tell(text: string, action?: NoticeAction): void {
    this.#show('bar box', 'status', text, action);
  }

  fail(error: unknown): void {
    if (isCancelled(error)) return;
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof HostError ? error.hint : '';
    const sentence = /[.!?…]$/.test(message) ? message : `${message}.`;
    this.#show('bar box failure', 'alert', `${sentence} ${hint}`.trim());
  }

  clear(): void {
    fillWith(this.#bar);
  }

  #show(style: string, role: string, text: string, action?: NoticeAction): void {
    const run = () => {
      this.clear();
      action?.run();
    };
    fillWith(
      this.#bar,
      element(
        'div',
        { class: style, role },
        element('span', { class: 'grow' }, text),
        action && button({ appearance: 'secondary', onclick: run }, action.label),
        button({ appearance: 'icon', 'aria-label': this.#text('dismiss'), onclick: () => this.clear() }, '✕'),
      ),
    );
  }
}
