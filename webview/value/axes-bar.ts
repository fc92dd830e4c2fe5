/** What each axis of an array is, where it is looked at on those that are not seen, and in which shape. */
import type { ValueState } from '../../backend/protocol/panels/value.ts';
import type { ValueTexts } from '../../backend/protocol/panels/value-texts.ts';
import { type AxisRole, axisRoles, guessAxes, withRole } from '../../backend/protocol/values/axes.ts';
import { apply, element, fillWith, setText } from '../shared/dom.ts';
import { fill } from '../shared/initial.ts';
import { parseShape } from './picture-of.ts';

type Change = (change: Partial<ValueState>) => void;

export class AxesBar {
  readonly root = element('div', { class: 'axes', role: 'group' });
  readonly #texts: ValueTexts;
  readonly #change: Change;
  readonly #axes = element('div', { class: 'axis-list' });
  readonly #shape: HTMLInputElement;
  #layout = '';
  #sliders: { axis: number; input: HTMLInputElement; number: HTMLElement }[] = [];

  constructor(texts: ValueTexts, change: Change) {
    this.#texts = texts;
    this.#change = change;
    const hint = { title: texts.asHint, placeholder: texts.as, 'aria-label': texts.as };
    this.#shape = element('input', { type: 'text', class: 'number shape', ...hint, onchange: () => this.#typed() });
    const guess = element('button', { class: 'plain', onclick: () => change({ roles: null }) }, texts.guess);
    apply(this.root, { 'aria-label': texts.axes });
    this.root.append(this.#axes, this.#shape, guess);
  }

  show(shape: readonly number[], { roles, at, shape: as }: ValueState): void {
    if (document.activeElement !== this.#shape) this.#shape.value = as?.join(', ') ?? '';
    const fitting = roles?.length === shape.length ? roles : guessAxes(shape);
    const layout = JSON.stringify([shape, fitting]);
    if (layout !== this.#layout) {
      this.#layout = layout;
      this.#sliders = [];
      fillWith(this.#axes, ...shape.map((size, axis) => this.#axis(axis, size, fitting)));
    }
    for (const { axis, input, number } of this.#sliders) {
      const index = Math.min(shape[axis]! - 1, at[axis] ?? 0);
      if (document.activeElement !== input) input.value = String(index);
      setText(number, String(index));
    }
  }

  #axis(axis: number, size: number, roles: readonly AxisRole[]): HTMLElement {
    const texts = this.#texts;
    const titles = {
      rows: texts.roleRows,
      columns: texts.roleColumns,
      channels: texts.roleChannels,
      index: texts.roleIndex,
    };
    const name = fill(texts.axis, axis, size);
    const role: HTMLSelectElement = element(
      'select',
      {
        'aria-label': name,
        onchange: () => this.#change({ roles: [...withRole(roles, axis, role.value as AxisRole)] }),
      },
      ...axisRoles.map((value) => element('option', { value, selected: value === roles[axis] }, titles[value])),
    );
    return element(
      'label',
      { class: 'axis', 'data-axis': axis },
      element('span', { class: 'muted' }, name),
      role,
      ...(roles[axis] === 'index' ? this.#slider(axis, size) : []),
    );
  }

  #slider(axis: number, size: number): HTMLElement[] {
    const number = element('output', { class: 'number' });
    const title = fill(this.#texts.indexOf, axis);
    const input: HTMLInputElement = element('input', {
      ...{ type: 'range', min: 0, max: size - 1, step: 1, 'aria-label': title, title },
      oninput: () => this.#change({ at: this.#moved(axis, Number(input.value)) }),
    });
    this.#sliders.push({ axis, input, number });
    return [input, number];
  }

  #moved(axis: number, index: number): number[] {
    const at = this.#sliders.reduce<number[]>((all, slider) => {
      all[slider.axis] = slider.axis === axis ? index : Number(slider.input.value);
      return all;
    }, []);
    return Array.from(at, (value) => value ?? 0);
  }

  #typed(): void {
    const shape = parseShape(this.#shape.value);
    this.#shape.setCustomValidity(shape === undefined ? this.#texts.badShape : '');
    if (shape === undefined) this.#shape.reportValidity();
    else this.#change({ shape, roles: null });
  }
}
