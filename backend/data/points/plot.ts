/** A small scatter plot: points over the outlines of a mixture's modes, as an image [3, height, width] in [-1, 1]. */
import { type TensorData, tensorData } from '../../graph/tensor-data.ts';
import { type Mixture, stdsOf } from '../mixture.ts';

type Color = readonly [number, number, number];

/** What part of the plane is shown, and how finely. */
export interface View {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly pixelsPerUnit: number;
}

export class Plot {
  readonly #view: View;
  readonly #columns: number;
  readonly #rows: number;
  readonly #data: Float32Array;

  constructor(view: View) {
    this.#view = view;
    this.#columns = Math.round(view.width * view.pixelsPerUnit);
    this.#rows = Math.round(view.height * view.pixelsPerUnit);
    this.#data = new Float32Array(3 * this.#rows * this.#columns).fill(1);
  }

  get image(): TensorData {
    return tensorData([3, this.#rows, this.#columns], this.#data);
  }

  /** Discs of `radius` pixels; where they overlap they get darker. Points are flat [count, 2]. */
  points(points: Float32Array, radius: number, color: Color, opacity: number): void {
    for (let i = 0; i < points.length; i += 2) {
      this.#blend(points[i], points[i + 1], radius + 1, color, (distance) => opacity * covered(radius - distance));
    }
  }

  /** A circle around every mode, `deviations` standard deviations wide. */
  outline(mixture: Mixture, deviations: number, color: Color): void {
    const stds = stdsOf(mixture);
    const halfLine = 0.6;
    for (const [k, [x, y]] of mixture.modes.entries()) {
      const radius = deviations * stds[k]! * this.#view.pixelsPerUnit;
      this.#blend(x, y, radius + 2, color, (distance) => covered(halfLine - Math.abs(distance - radius)));
    }
  }

  /** Mixes `color` into the pixels around (x, y); `share` is asked with the distance in pixels. */
  #blend(x: number, y: number, reach: number, color: Color, share: (distance: number) => number): void {
    const { left, top, pixelsPerUnit } = this.#view;
    const [cx, cy] = [(x - left) * pixelsPerUnit - 0.5, (top - y) * pixelsPerUnit - 0.5];
    for (let row = Math.max(0, Math.floor(cy - reach)); row <= Math.min(this.#rows - 1, cy + reach); row++) {
      for (
        let column = Math.max(0, Math.floor(cx - reach));
        column <= Math.min(this.#columns - 1, cx + reach);
        column++
      ) {
        const amount = share(Math.hypot(column - cx, row - cy));
        for (let c = 0; c < 3; c++) {
          const at = (c * this.#rows + row) * this.#columns + column;
          this.#data[at] += amount * (color[c] - this.#data[at]);
        }
      }
    }
  }
}

/** How much of a pixel lies inside an edge `inside` pixels away. */
function covered(inside: number): number {
  return Math.min(1, Math.max(0, inside + 0.5));
}
