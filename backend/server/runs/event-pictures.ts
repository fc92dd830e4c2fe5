/**
 * Pictures that another program wrote into its event files: the first tag's of each step, in memory. What does not fit makes room
 * by thinning out older steps, as recorded fields do; the newest stays.
 */
import type { SummaryValue } from '../../runs/events/proto.ts';

const mostBytes = 64e6;

export class EventPictures {
  readonly #pictures = new Map<number, { readonly tag: string; readonly png: Uint8Array }>();
  #bytes = 0;

  /** Ascending. */
  get steps(): number[] {
    return [...this.#pictures.keys()].sort((a, b) => a - b);
  }

  at(step: number): Uint8Array | undefined {
    return this.#pictures.get(step)?.png;
  }

  /** @returns the steps that had to go, or undefined where the picture is not one to show */
  add(step: number, { tag, png }: Extract<SummaryValue, { kind: 'image' }>): number[] | undefined {
    const before = this.#pictures.get(step);
    if (!isPng(png) || png.length > mostBytes || (before && before.tag < tag)) return undefined;
    this.#bytes += png.length - (before?.png.length ?? 0);
    this.#pictures.set(step, { tag, png });
    const dropped: number[] = [];
    while (this.#bytes > mostBytes) dropped.push(...this.#thin());
    return dropped;
  }

  dropFrom(step: number): void {
    for (const at of this.steps) if (at >= step) this.#drop(at);
  }

  /** Every second step but the newest goes. */
  #thin(): number[] {
    const steps = this.steps;
    const gone = steps.filter((_, i) => (steps.length - 1 - i) % 2 === 1);
    for (const step of gone) this.#drop(step);
    return gone;
  }

  #drop(step: number): void {
    this.#bytes -= this.#pictures.get(step)?.png.length ?? 0;
    this.#pictures.delete(step);
  }
}

/** Programs may write pictures of other kinds, which the page would not show. */
const isPng = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x89PNG';
