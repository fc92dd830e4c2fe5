/** One side of a grid: which setting it goes through, and the values. */
import { type Axis, type AxisSetting, type Form, parseSize } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { parseSeed } from '../../backend/protocol/seed.ts';
import { element, fillWith } from '../shared/dom.ts';
import { textArea, textField } from '../shared/toolkit.ts';
import { firstValues, isLined, offeredValues, parseValues, settingsFor, valuesText } from './axis-values.ts';
import { Choice } from './choice.ts';
import { decimal, mark, whole } from './field.ts';
import type { Texts } from './texts.ts';

/** What the values depend on. */
export interface AxisContext {
  readonly form: Form;
  readonly info: ModelInfo;
  readonly models: readonly ModelInfo[];
  readonly devices: string[];
}

export class AxisView {
  readonly element: HTMLElement;
  readonly #text: Texts;
  readonly #id: string;
  readonly #changed: () => void;
  readonly #setting: Choice;
  readonly #values = element('div', {});
  readonly #canBeNone: boolean;
  #context: AxisContext | null = null;
  #axis: Axis | null = null;
  /** What the values are shown for: they are remade only for another one. */
  #shown = '';

  /** @param id of its elements; its label is the text of the same name */
  constructor(id: 'gridX' | 'gridY', text: Texts, changed: () => void) {
    this.#id = id;
    this.#text = text;
    this.#changed = changed;
    this.#canBeNone = id === 'gridY';
    this.#setting = new Choice(id, text(id), () => this.#choose());
    this.element = element('div', { class: 'axis' }, this.#setting.element, this.#values);
  }

  get axis(): Axis | null {
    return this.#axis;
  }

  show(axis: Axis | null, context: AxisContext): void {
    this.#context = context;
    const { info, models, devices } = context;
    const fitting = settingsFor(info, models, devices);
    // A setting of another model stays until another is chosen, so that switching models loses nothing.
    const settings = axis && !fitting.includes(axis.setting) ? [...fitting, axis.setting] : fitting;
    const options = settings.map((value) => ({ value, label: this.#text(value) }));
    const none = this.#canBeNone ? [{ value: '', label: this.#text('gridNone') }] : [];
    this.#setting.show([...none, ...options], axis?.setting ?? '');
    const isOwn = JSON.stringify(axis) === JSON.stringify(this.#axis);
    this.#axis = axis;
    this.#showValues(isOwn);
  }

  /** With values to begin with, where it has none that fit. */
  begin(): void {
    const { form, info, models, devices } = this.#context!;
    const fitting = settingsFor(info, models, devices);
    if (this.#axis && this.#axis.values.length > 0 && fitting.includes(this.#axis.setting)) return;
    const setting = fitting[0] ?? 'seed';
    this.#axis = { setting, values: firstValues(setting, form, info, models) };
    this.#showValues(false);
  }

  /** Begins with values of the setting that one may want. */
  #choose(): void {
    const { form, info, models } = this.#context!;
    const setting = this.#setting.value as AxisSetting | '';
    this.#axis = setting === '' ? null : { setting, values: firstValues(setting, form, info, models) };
    this.#showValues(false);
    this.#changed();
  }

  #set(values: string[]): void {
    this.#axis = this.#axis && { ...this.#axis, values };
    this.#changed();
  }

  /** @param isOwn the values are what the person has just typed here */
  #showValues(isOwn: boolean): void {
    const { info, models, devices } = this.#context!;
    const axis = this.#axis;
    const offered = axis && offeredValues(axis.setting, info, models, devices);
    const shown = JSON.stringify([axis?.setting, offered]);
    if (isOwn && shown === this.#shown) return;
    this.#shown = shown;
    if (!axis) fillWith(this.#values);
    else fillWith(this.#values, offered ? this.#boxes(axis, offered) : this.#typed(axis));
  }

  #boxes({ values, setting }: Axis, offered: readonly { value: string; label: string }[]): HTMLElement {
    const boxes = offered.map(({ value, label }) => {
      const box = element('input', {
        type: 'checkbox',
        value,
        checked: values.includes(value),
        onchange: () => read(),
      });
      return { box, label: element('label', {}, box, label) };
    });
    const read = () => this.#set(boxes.filter(({ box }) => box.checked).map(({ box }) => box.value));
    const name = this.#text('gridValues', this.#text(setting));
    return element(
      'div',
      { class: 'values box', role: 'group', 'aria-label': name },
      ...boxes.map(({ label }) => label),
    );
  }

  #typed({ setting, values }: Axis): HTMLElement {
    const name = this.#text(isLined(setting) ? 'gridLines' : 'gridValues', this.#text(setting));
    const properties = { id: `${this.#id}Values`, oninput: () => read() };
    const typed = isLined(setting) ? textArea({ ...properties, rows: 3 }, name) : textField(properties, name);
    typed.value = valuesText(setting, values);
    const read = () => {
      const parsed = parseValues(setting, typed.value);
      mark(typed, parsed.length === 0 || parsed.some((value) => !isValue(setting, value)));
      this.#set(parsed);
    };
    return typed;
  }
}

function isValue(setting: AxisSetting, text: string): boolean {
  if (setting === 'steps') return whole(text, 1, 1000) !== null;
  if (setting === 'guidance') return decimal(text, 0, 100) !== null;
  if (setting === 'seed') return parseSeed(text) !== null;
  return setting !== 'size' || parseSize(text) !== null;
}
