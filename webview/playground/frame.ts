/** From the plane to the canvas and back: the part of the plane that is shown, as wide and as high as the canvas. */
import type { Target } from '../../backend/protocol/panels/playground-settings.ts';
import { type Point, stdsOf } from './targets.ts';

export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
}

const usual: Frame = { left: -1.25, right: 1.25, bottom: -0.8, top: 0.8 };

/** The usual part, and more where the target reaches further; then as much more as the canvas is wider or higher. */
export function frameOf(target: Target, width: number, height: number): Frame {
  const stds = stdsOf(target);
  const marks = [...target.modes.map((centre, k) => ({ centre, std: stds[k]! })), target.start];
  const low = (axis: 0 | 1, value: number) => Math.min(value, ...marks.map((mark) => mark.centre[axis] - 4 * mark.std));
  const high = (axis: 0 | 1, value: number) =>
    Math.max(value, ...marks.map((mark) => mark.centre[axis] + 4 * mark.std));
  const [left, right] = [low(0, usual.left), high(0, usual.right)];
  const [bottom, top] = [low(1, usual.bottom), high(1, usual.top)];
  const perUnit = Math.min(width / (right - left), height / (top - bottom));
  const [wide, tall] = [width / perUnit / 2, height / perUnit / 2];
  const [x, y] = [(left + right) / 2, (bottom + top) / 2];
  return { left: x - wide, right: x + wide, bottom: y - tall, top: y + tall };
}

export const toCanvas = ({ left, right, bottom, top }: Frame, [x, y]: Point, width: number, height: number): Point => [
  ((x - left) / (right - left)) * width,
  ((top - y) / (top - bottom)) * height,
];

export const toPlane = ({ left, right, bottom, top }: Frame, [x, y]: Point, width: number, height: number): Point => [
  left + (x / width) * (right - left),
  top - (y / height) * (top - bottom),
];

/** Cells about `size` pixels wide, and as high. */
export function cellsOf(width: number, height: number, size: number): { columns: number; rows: number } {
  const within = (value: number) => Math.max(4, Math.min(60, Math.round(value / size)));
  return { columns: within(width), rows: within(height) };
}

/** Middles of the cells, row by row from the top left, flat [rows * columns, 2]. */
export function middlesOf({ left, right, bottom, top }: Frame, columns: number, rows: number): Float32Array {
  return Float32Array.from({ length: 2 * columns * rows }, (_, i) => {
    const cell = i >> 1;
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    return i % 2 === 0
      ? left + ((column + 0.5) / columns) * (right - left)
      : top - ((row + 0.5) / rows) * (top - bottom);
  });
}
