/** Points of the plane as a picture: dots over the outlines of the modes that they should find. */
import type { TensorData } from '../../graph/tensor-data.ts';
import { type Mixture, stdsOf } from '../mixture.ts';
import { Plot, type View } from './plot.ts';

const grey = [0.35, 0.35, 0.35] as const;
const blue = [-0.75, -0.1, 0.65] as const;

/** Of the longer side, in pixels. */
const longest = 400;

/** What of the plane is shown of a mixture and where samples begin: all of it to four standard deviations, and a margin. */
export function frameOf(mixture: Mixture, start: Blob): Pick<View, 'left' | 'top' | 'width' | 'height'> {
  const stds = stdsOf(mixture);
  const around = [...mixture.modes.map((centre, k) => ({ centre, std: stds[k]! })), start];
  const span = (axis: 0 | 1) => {
    const low = Math.min(...around.map((of) => of.centre[axis]! - 4 * of.std));
    const high = Math.max(...around.map((of) => of.centre[axis]! + 4 * of.std));
    return { low, high };
  };
  const [x, y] = [span(0), span(1)];
  const margin = 0.05 * Math.max(x.high - x.low, y.high - y.low);
  const size = ({ low, high }: { low: number; high: number }) => high - low + 2 * margin;
  // Neither side less than half of the other: a narrow picture shows nothing.
  const [width, height] = [Math.max(size(x), size(y) / 2), Math.max(size(y), size(x) / 2)];
  return { left: (x.low + x.high - width) / 2, top: (y.low + y.high + height) / 2, width, height };
}

export interface Blob {
  readonly centre: readonly number[];
  readonly std: number;
}

/** @param points [N, 2, ...]; @returns one picture [1, 3, H, W] in [-1, 1] */
export function scatter(points: TensorData, mixture: Mixture, start: Blob): TensorData {
  const frame = frameOf(mixture, start);
  const plot = new Plot({ ...frame, pixelsPerUnit: longest / Math.max(frame.width, frame.height) });
  // Of many modes the outlines would hide the points.
  for (const deviations of mixture.modes.length > 12 ? [1] : [1, 2, 3]) plot.outline(mixture, deviations, grey);
  plot.points(points.data, 1.5, blue, 0.6);
  const { shape, data } = plot.image;
  return { shape: [1, ...shape], data };
}
