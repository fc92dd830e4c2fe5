/**
 * What heatmaps that are looked at together share: the part that is seen and the number under the pointer. Keys do what the
 * pointer does: arrows move from number to number, + and - zoom, 0 shows everything, Escape lets go.
 */
import { setText } from '../dom.ts';
import { Topic } from '../topic.ts';
import { Viewport } from './viewport.ts';

/** A place in the picture, 0..1 from the upper left corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface GroupMember {
  /** In numbers; null while it shows nothing. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** What it is and its value at the group's place, for those who hear it. */
  words(): string;
}

const keyZoom = 1.5;

export class HeatmapGroup {
  readonly viewport = new Viewport();
  readonly onPoint = new Topic();
  readonly #members = new Set<GroupMember>();
  #place: Place | null = null;

  get place(): Place | null {
    return this.#place;
  }

  /** Returns what takes it out. */
  add(member: GroupMember): () => void {
    this.#members.add(member);
    return () => this.#members.delete(member);
  }

  point(place: Place | null): void {
    this.#place = place;
    this.onPoint.fire();
  }

  /** @param spoken says the values where keys led to */
  listen(root: HTMLElement, spoken: HTMLElement): void {
    root.addEventListener('keydown', (event) => {
      if (event.target !== root && !(event.target instanceof HTMLCanvasElement)) return;
      if (!this.#key(event)) return;
      event.preventDefault();
      event.stopPropagation();
      const words = [...this.#members].map((member) => member.words());
      setText(spoken, this.#place ? words.filter(Boolean).join(', ') : '');
    });
  }

  #key({ key, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean {
    if (ctrlKey || altKey || metaKey) return false;
    const { x, y } = this.#place ?? { x: 0.5, y: 0.5 };
    const { viewport } = this;
    if (key === '+' || key === '=') viewport.zoomBy(keyZoom, ...this.#within(x, y));
    else if (key === '-') viewport.zoomBy(1 / keyZoom, ...this.#within(x, y));
    else if (key === '0') viewport.reset();
    else if (key === 'Escape' && this.#place) this.point(null);
    else {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
      const size = [...this.#members].find((member) => member.size)?.size;
      if (!by || !size) return false;
      this.#move(size, by[0]!, by[1]!);
    }
    return true;
  }

  #within(x: number, y: number): [number, number] {
    const { left, top, zoom } = this.viewport;
    return [(x - left) * zoom, (y - top) * zoom];
  }

  /** To the middle of the next number. */
  #move({ width, height }: { width: number; height: number }, dx: number, dy: number): void {
    const from = this.#place ?? { x: 0.5, y: 0.5 };
    const next = (at: number, count: number, by: number) =>
      (Math.min(count - 1, Math.max(0, Math.floor(at * count) + by)) + 0.5) / count;
    const place = { x: next(from.x, width, dx), y: next(from.y, height, dy) };
    this.viewport.show(place.x, place.y);
    this.point(place);
  }
}
