/** What the image shows, in words: the prompt, earlier ones, and where a model is guided how it is led to it and away from what. */
import type { View } from '../../backend/protocol/panels/generate.ts';
import { type Form, largestGuidance } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { element } from '../shared/dom.ts';
import { textArea, textField } from '../shared/toolkit.ts';
import { Choice } from './choice.ts';
import { type Box, checkbox, decimal, type Field, field, mark } from './field.ts';
import type { Texts } from './texts.ts';

const longestPrompt = 10_000;

export class WordsFields {
  /** What comes first in the form. */
  readonly prompt: HTMLElement;
  /** What few change. */
  readonly guided: HTMLElement;
  readonly #text: Texts;
  readonly #prompt: Field;
  readonly #live: Box;
  readonly #recent: Choice;
  readonly #negative: Field;
  readonly #guidance: Field;

  constructor(text: Texts, changed: () => void) {
    this.#text = text;
    this.#prompt = textArea({ id: 'prompt', rows: 3, oninput: changed }, text('prompt'));
    this.#prompt.setAttribute('placeholder', text('promptHint'));
    this.#live = checkbox('live', text('live'), changed);
    this.#recent = new Choice('recent', text('recent'), () => {
      const { value } = this.#recent;
      if (value === '') return;
      this.#prompt.value = value; // takes the place of what is typed
      changed();
    });
    this.#negative = textField({ id: 'negative', oninput: changed }, text('negative'));
    this.#negative.setAttribute('placeholder', text('negativeHint'));
    this.#guidance = field('guidance', text('guidance'), changed);
    this.prompt = element('div', { class: 'fields' }, this.#prompt, this.#live, this.#recent.element);
    this.guided = element('div', { class: 'fields' }, this.#negative, this.#guidance);
  }

  get values(): Pick<Form, 'prompt' | 'negative' | 'guidance' | 'live'> {
    return {
      prompt: this.#prompt.value.slice(0, longestPrompt),
      negative: this.#negative.value.slice(0, longestPrompt),
      guidance: decimal(this.#guidance.value, 0, largestGuidance),
      live: this.#live.checked,
    };
  }

  fill({ prompt, negative, guidance, live }: Form): void {
    this.#prompt.value = prompt;
    this.#negative.value = negative;
    this.#guidance.value = guidance === null ? '' : String(guidance);
    this.#live.checked = live;
  }

  markWrong(): void {
    const { value } = this.#guidance;
    mark(this.#guidance, value.trim() !== '' && decimal(value, 0, largestGuidance) === null);
  }

  /** What the model allows. */
  show({ prompts }: View, info: ModelInfo | undefined): void {
    const text = this.#text;
    const takesPrompt = info?.prompt ?? false;
    this.prompt.hidden = !takesPrompt;
    this.#prompt.hidden = !takesPrompt;
    this.#live.hidden = !takesPrompt || info?.steps !== 1;
    const recent = prompts.map((prompt) => ({ value: prompt, label: shortened(prompt), title: prompt }));
    this.#recent.show([{ value: '', label: text('recentChoose') }, ...recent], '');
    this.#recent.visible(takesPrompt && recent.length > 0);
    const guidance = info?.guidance ?? null;
    this.guided.hidden = guidance === null;
    this.#negative.hidden = guidance === null;
    this.#guidance.hidden = guidance === null;
    this.#guidance.setAttribute('placeholder', text('stepsDefault', guidance ?? ''));
  }
}

function shortened(prompt: string): string {
  return prompt.length > 60 ? `${prompt.slice(0, 59)}…` : prompt;
}
