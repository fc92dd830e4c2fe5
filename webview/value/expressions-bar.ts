/** Which value is shown, what is taken from it, and whether it follows the program. */
import type { ValueState } from '../../backend/protocol/panels/value.ts';
import type { ValueTexts } from '../../backend/protocol/panels/value-texts.ts';
import { apply, element } from '../shared/dom.ts';
import { button } from '../shared/toolkit.ts';

export class ExpressionsBar {
  readonly root: HTMLFormElement;
  readonly #expression: HTMLInputElement;
  readonly #minus: HTMLInputElement;
  readonly #follow: HTMLInputElement;

  /** @param change also called with the expressions as they are: the person wants them read now */
  constructor(texts: ValueTexts, change: (change: Partial<ValueState>) => void) {
    this.#expression = field(texts.expression, texts.expressionHint);
    this.#minus = field(texts.minus, texts.minusHint);
    this.#follow = element('input', {
      type: 'checkbox',
      onchange: () => change({ follow: this.#follow.checked }),
    });
    this.root = element(
      'form',
      {
        class: 'expressions',
        // Two fields and no button of HTML's own: Enter would do nothing.
        onkeydown: (event: KeyboardEvent) => {
          if (event.key !== 'Enter' || event.isComposing) return;
          event.preventDefault();
          this.root.requestSubmit();
        },
        onsubmit: (event: Event) => {
          event.preventDefault();
          change({ expression: this.#expression.value.trim(), minus: this.#minus.value.trim() });
        },
      },
      element('label', { class: 'grow' }, element('span', { class: 'muted' }, texts.expression), this.#expression),
      element('label', { class: 'grow' }, element('span', { class: 'muted' }, '−'), this.#minus),
      button({ onclick: () => this.root.requestSubmit() }, texts.show),
      element('label', { title: texts.followHint }, this.#follow, texts.follow),
    );
  }

  show({ expression, minus, follow }: ValueState): void {
    if (document.activeElement !== this.#expression) this.#expression.value = expression;
    if (document.activeElement !== this.#minus) this.#minus.value = minus;
    this.#follow.checked = follow;
  }
}

function field(name: string, hint: string): HTMLInputElement {
  const input = element('input', { type: 'text', class: 'number', spellcheck: 'false', maxlength: 10_000 });
  apply(input, { 'aria-label': name, title: hint, placeholder: name });
  return input;
}
