/**
 * The part of a picture that is seen, in fractions of its sides, so that pictures of different sizes can be locked to each
 * other. Knows no page.
 */
import { Topic } from '../topic.ts';

/** As far as one number fills a picture of 512 twice over. */
const closest = 1024;

export class Viewport {
  #zoom = 1;
  #left = 0;
  #top = 0;
  readonly onChange = new Topic();

  /** 1: the whole picture; 2: half of either side. */
  get zoom(): number {
    return this.#zoom;
  }

  /** The corner that is seen, 0..1 - 1/zoom. */
  get left(): number {
    return this.#left;
  }

  get top(): number {
    return this.#top;
  }

  /** @param x, y in fractions of what is seen: that point stays where it is */
  zoomBy(factor: number, x = 0.5, y = 0.5): void {
    const zoom = Math.min(closest, Math.max(1, this.#zoom * factor));
    const shift = 1 / this.#zoom - 1 / zoom;
    this.#set(zoom, this.#left + x * shift, this.#top + y * shift);
  }

  /** @param x, y in fractions of what is seen */
  panBy(x: number, y: number): void {
    this.#set(this.#zoom, this.#left + x / this.#zoom, this.#top + y / this.#zoom);
  }

  /** Moves as little as shows the point, given in fractions of the whole picture. */
  show(x: number, y: number): void {
    const part = 1 / this.#zoom;
    const into = (low: number, at: number) => Math.min(at, Math.max(low, at - part));
    this.#set(this.#zoom, into(this.#left, x), into(this.#top, y));
  }

  reset(): void {
    this.#set(1, 0, 0);
  }

  /** From a place in what is seen to one in the whole picture, both in fractions. */
  toPicture(x: number, y: number): { x: number; y: number } {
    return { x: this.#left + x / this.#zoom, y: this.#top + y / this.#zoom };
  }

  #set(zoom: number, left: number, top: number): void {
    const within = (at: number) => Math.min(1 - 1 / zoom, Math.max(0, at));
    const [nextLeft, nextTop] = [within(left), within(top)];
    if (zoom === this.#zoom && nextLeft === this.#left && nextTop === this.#top) return;
    [this.#zoom, this.#left, this.#top] = [zoom, nextLeft, nextTop];
    this.onChange.fire();
  }
}
