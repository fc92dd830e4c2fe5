/** The divider between curves and pictures: dragged, or moved by keys when it has the focus. */
import { apply, element } from '../shared/dom.ts';
import type { Monitor } from './monitor.ts';

/** Percent of the width that the curves have. */
const [least, most, middle, keyStep] = [20, 80, 50, 2];

/** Where curves and pictures have room beside each other; as in the style sheet. */
export const roomForBoth = '(min-width: 900px) and (min-height: 400px)';

export class Split {
  readonly root = element('div', {
    ...{ class: 'split', role: 'separator', tabindex: 0, 'aria-orientation': 'vertical' },
    ...{ 'aria-valuemin': least, 'aria-valuemax': most },
  });
  readonly #monitor: Monitor;
  readonly #around: HTMLElement;

  /** @param around holds both columns */
  constructor(monitor: Monitor, around: HTMLElement) {
    this.#monitor = monitor;
    this.#around = around;
    apply(this.root, { 'aria-label': monitor.texts.split, title: monitor.texts.splitHint });
    this.root.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.root.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.root.focus();
    });
    this.root.addEventListener('pointermove', (event) => {
      if (this.root.hasPointerCapture(event.pointerId)) this.#toPointer(event.clientX);
    });
    this.root.addEventListener('dblclick', () => this.#set(middle));
    this.root.addEventListener('keydown', (event) => this.#key(event));
    monitor.onView.on(() => this.#show());
    this.#show();
  }

  #toPointer(x: number): void {
    const { left, width } = this.#around.getBoundingClientRect();
    this.#set(((x - left) / width) * 100);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { split } = this.#monitor.state.pictures;
    const to = {
      ArrowLeft: split - keyStep,
      ArrowRight: split + keyStep,
      Home: least,
      End: most,
      Enter: middle,
    }[event.key];
    if (to === undefined) return;
    this.#set(to);
    event.preventDefault();
    event.stopPropagation();
  }

  #set(percent: number): void {
    const split = Math.round(Math.min(most, Math.max(least, percent)));
    if (split === this.#monitor.state.pictures.split) return;
    this.#monitor.change({ pictures: { ...this.#monitor.state.pictures, split } });
  }

  #show(): void {
    const { split } = this.#monitor.state.pictures;
    apply(this.root, { 'aria-valuenow': split });
    this.#around.style.setProperty('--left', `${split}fr`);
    this.#around.style.setProperty('--right', `${100 - split}fr`);
  }
}
