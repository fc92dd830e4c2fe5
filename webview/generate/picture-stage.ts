/** A picture as large as there is room, closer where one wants; a second one over it up to a line that is dragged. */
import { element } from '../shared/dom.ts';
import { Viewport } from '../shared/heatmaps/viewport.ts';

const wheelZoom = 1.002;
const keyStep = 0.02;

export class PictureStage {
  readonly element: HTMLElement;
  readonly viewport = new Viewport();
  readonly #first = element('img', { alt: '', draggable: false });
  readonly #second = element('img', { alt: '', draggable: false });
  readonly #over: HTMLElement;
  readonly #divider: HTMLElement;
  /** Share of the width at which the second picture begins. */
  #split = 0.5;
  #dragged: { x: number; y: number } | null = null;

  /** @param dividerName said of the line between two pictures */
  constructor(dividerName: string) {
    this.#over = element('div', { class: 'layer' }, this.#second);
    this.#divider = element('div', {
      ...{ class: 'divider', role: 'slider', tabindex: 0, 'aria-label': dividerName },
      ...{ 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-orientation': 'horizontal' },
    });
    this.element = element(
      'div',
      { class: 'stage' },
      element('div', { class: 'layer' }, this.#first),
      this.#over,
      this.#divider,
    );
    this.viewport.onChange.on(() => this.#place());
    this.#listen();
  }

  /** @param second stands to the right of the line; null: none */
  show(first: string, second: string | null): void {
    this.#first.src = first;
    if (second !== null) this.#second.src = second;
    this.#over.hidden = second === null;
    this.#divider.hidden = second === null;
    this.#place();
  }

  #place(): void {
    const { zoom, left, top } = this.viewport;
    for (const image of [this.#first, this.#second]) {
      image.style.width = `${zoom * 100}%`;
      image.style.transform = `translate(${-left * 100}%, ${-top * 100}%)`;
    }
    const at = this.#split * 100;
    this.#over.style.clipPath = `inset(0 0 0 ${at}%)`;
    this.#divider.style.left = `${at}%`;
    this.#divider.setAttribute('aria-valuenow', at.toFixed(0));
  }

  #moveDivider(split: number): void {
    this.#split = Math.min(1, Math.max(0, split));
    this.#place();
  }

  #listen(): void {
    const stage = this.element;
    const within = ({ clientX, clientY }: MouseEvent) => {
      const box = stage.getBoundingClientRect();
      return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
    };
    let splitting = false;
    stage.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      splitting = event.target === this.#divider;
      this.#dragged = within(event);
    });
    stage.addEventListener('pointermove', (event) => {
      if (!this.#dragged) return;
      const at = within(event);
      if (splitting) this.#moveDivider(at.x);
      else this.viewport.panBy(this.#dragged.x - at.x, this.#dragged.y - at.y);
      this.#dragged = at;
    });
    const release = () => {
      this.#dragged = null;
    };
    stage.addEventListener('pointerup', release);
    stage.addEventListener('pointercancel', release);
    stage.addEventListener('dblclick', () => this.viewport.reset());
    stage.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const { x, y } = within(event);
        this.viewport.zoomBy(wheelZoom ** -event.deltaY, x, y);
      },
      { passive: false },
    );
    this.#divider.addEventListener('keydown', (event) => {
      const ways: Record<string, number> = { ArrowLeft: -keyStep, ArrowRight: keyStep, Home: -1, End: 1 };
      const way = ways[event.key];
      if (way === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.#moveDivider(this.#split + way);
    });
  }
}
