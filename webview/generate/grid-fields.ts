/** A grid of images over one or two settings: whether, over which, and how many images that makes. */
import type { View } from '../../backend/protocol/panels/generate.ts';
import { type Form, mostImages } from '../../backend/protocol/panels/generate-form.ts';
import { element, setText } from '../shared/dom.ts';
import { AxisView } from './axis-view.ts';
import { type Box, checkbox } from './field.ts';
import type { Texts } from './texts.ts';

export class GridFields {
  readonly element: HTMLElement;
  readonly #text: Texts;
  readonly #on: Box;
  readonly #x: AxisView;
  readonly #y: AxisView;
  readonly #axes: HTMLElement;
  #canBegin = false;
  readonly #count = element('p', { class: 'muted small', role: 'status' });

  constructor(text: Texts, changed: () => void) {
    this.#text = text;
    this.#on = checkbox('asGrid', text('asGrid'), () => {
      if (this.#on.checked && this.#canBegin) this.#x.begin();
      changed();
    });
    this.#x = new AxisView('gridX', text, changed);
    this.#y = new AxisView('gridY', text, changed);
    this.#axes = element('div', { class: 'axes' }, this.#x.element, this.#y.element, this.#count);
    this.element = element('div', { class: 'field' }, this.#on, this.#axes);
  }

  /** What the form has of it. */
  get values(): Pick<Form, 'asGrid' | 'grid'> {
    return { asGrid: this.#on.checked, grid: { x: this.#x.axis ?? { setting: 'seed', values: [] }, y: this.#y.axis } };
  }

  check(on: boolean): void {
    this.#on.checked = on;
  }

  show(form: Form, { models, devices }: View): void {
    const info = models.find(({ model }) => model === form.model);
    this.#axes.hidden = !form.asGrid || !info;
    this.#canBegin = info !== undefined;
    if (!info) return;
    const available = devices.filter((device) => device.available).map(({ name }) => name);
    const context = { form, info, models, devices: available };
    const { x, y } = form.grid;
    this.#x.show(x, context);
    this.#y.show(y, context);
    if (!form.asGrid) return;
    const [columns, rows] = [x.values.length, y?.values.length ?? 1];
    const count = columns * rows;
    setText(
      this.#count,
      this.#text(count > mostImages ? 'gridTooMany' : 'gridCount', columns, rows, count, mostImages),
    );
    this.#count.classList.toggle('error', count > mostImages || count === 0);
  }
}
