/**
 * Draws one curve, of any length, in time that depends on the width of the picture alone: where several values fall on a
 * column of pixels, their extent is drawn, which shows every peak.
 */
import { type Axis, bySteps } from './axis.ts';
import type { Series } from './series.ts';

export interface Trace {
  /** What the person switches it off by. */
  readonly id: string;
  readonly label: string;
  /** Longer, for people who hear it. */
  readonly name: string;
  readonly raw: Series;
  /** What is drawn as the line; the raw values then as a band behind it. */
  readonly smooth: Series | null;
  readonly colour: string;
  readonly stroke: readonly number[];
  /** Left out: steps themselves. */
  readonly axis?: Axis;
  /** Stands back while another one is looked at. */
  readonly dim?: boolean;
  /** Has a dot at the cursor; left out, it has. */
  readonly dotted?: boolean;
  /** The best of its recorded values, which is marked. */
  readonly best?: { readonly step: number; readonly value: number } | null;
}

/** Where values are on the canvas, in its own pixels; `from` and `to` are ends of the axis. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly to: number;
  /** Canvas pixels per CSS pixel. */
  readonly ratio: number;
  /** NaN for what the scale cannot show. */
  y(value: number): number;
}

const bandOpacity = 0.28;
const dimOpacity = 0.22;
const lineWidth = 1.4;

export function drawTrace(context: CanvasRenderingContext2D, trace: Trace, frame: Frame): void {
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  context.strokeStyle = context.fillStyle = trace.colour;
  context.lineWidth = lineWidth * frame.ratio;
  context.lineJoin = 'round';
  const opacity = trace.dim ? dimOpacity : 1;
  const place = placeOf(frame, trace.axis);
  if (trace.smooth) {
    context.globalAlpha = bandOpacity * opacity;
    drawBand(context, trace.raw, place);
  }
  context.globalAlpha = opacity;
  context.setLineDash(trace.stroke.map((length) => length * frame.ratio));
  drawLine(context, trace.smooth ?? trace.raw, place);
  context.restore();
}

/** A frame that knows where a curve's steps are. */
interface Place extends Frame {
  readonly first: number;
  readonly last: number;
  /** On the canvas. */
  x(step: number): number;
  /** At a column of pixels from the left. */
  step(column: number): number;
}

function placeOf(frame: Frame, axis: Axis = bySteps): Place {
  const { left, width, from, to } = frame;
  const perPixel = (to - from) / width;
  return {
    ...frame,
    first: axis.step(from),
    last: axis.step(to),
    x: (step) => left + (axis.at(step) - from) / perPixel,
    step: (column) => axis.step(from + column * perPixel),
  };
}

/** A diamond where the best value is. */
export function drawBest(context: CanvasRenderingContext2D, trace: Trace, frame: Frame, background: string): void {
  if (!trace.best) return;
  const x = placeOf(frame, trace.axis).x(trace.best.step);
  const y = frame.y(trace.best.value);
  if (!(x >= frame.left && x <= frame.left + frame.width && y >= frame.top && y <= frame.top + frame.height)) return;
  const size = 4.5 * frame.ratio;
  context.save();
  context.globalAlpha = trace.dim ? dimOpacity : 1;
  context.fillStyle = trace.colour;
  context.strokeStyle = background;
  context.lineWidth = 1.5 * frame.ratio;
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
  context.fill();
  context.stroke();
  context.restore();
}

/** Values that are visible, and one more at either side, so that lines leave the picture. */
function visible(series: Series, place: Place): [number, number] {
  const first = Math.max(0, series.indexFrom(place.first) - 1);
  return [first, Math.min(series.length, series.indexUpTo(place.last) + 2)];
}

function drawLine(context: CanvasRenderingContext2D, series: Series, frame: Place): void {
  const [first, end] = visible(series, frame);
  if (end <= first) return;
  context.beginPath();
  if (end - first <= 2 * frame.width) linePath(context, series, frame, first, end);
  else columnPath(context, series, frame, first, end);
  context.stroke();
  if (end - first === 1 || series.length === 1) drawDot(context, series, frame, first);
}

function linePath(context: CanvasRenderingContext2D, series: Series, frame: Place, first: number, end: number): void {
  let pen = false;
  for (let i = first; i < end; i++) {
    const y = frame.y(series.value(i));
    const x = frame.x(series.step(i));
    if (Number.isNaN(y)) {
      pen = false;
      continue;
    }
    if (pen) context.lineTo(x, y);
    else context.moveTo(x, y);
    pen = true;
  }
}

/** Per column: where the curve comes in, its extent, where it goes out. */
function columnPath(context: CanvasRenderingContext2D, series: Series, frame: Place, first: number, end: number): void {
  // A dash over a jagged column would start anew many times in one pixel and show nothing.
  context.setLineDash([]);
  let pen = false;
  eachColumn(series, frame, first, end, (x, a, b) => {
    const { min, max } = series.extent(a, b);
    const low = frame.y(min);
    const high = frame.y(max);
    const into = frame.y(series.value(a));
    const out = frame.y(series.value(b - 1));
    if (Number.isNaN(high)) {
      pen = false;
      return;
    }
    const base = Number.isNaN(low) ? high : low;
    const start = Number.isNaN(into) ? base : into;
    if (pen) context.lineTo(x, start);
    else context.moveTo(x, start);
    context.lineTo(x, base);
    context.lineTo(x, high);
    if (!Number.isNaN(out)) context.lineTo(x, out);
    pen = true;
  });
}

/** The extent of the raw values in every column, joined where columns are wider than the values are apart. */
function drawBand(context: CanvasRenderingContext2D, series: Series, frame: Place): void {
  const [first, end] = visible(series, frame);
  if (end - first < 2) return;
  if (end - first <= frame.width) {
    sparseBand(context, series, frame, first, end);
    return;
  }
  const least = frame.ratio;
  eachColumn(series, frame, first, end, (x, a, b) => {
    // From the value before it, so that neighbouring columns touch.
    const { min, max } = series.extent(Math.max(first, a - 1), b);
    const high = frame.y(max);
    if (Number.isNaN(high)) return;
    const low = frame.y(min);
    context.fillRect(x - 0.5, high, 1, Math.max(least, (Number.isNaN(low) ? frame.top + frame.height : low) - high));
  });
}

/** Fewer values than columns: the band is as high as the values around a place differ. */
function sparseBand(context: CanvasRenderingContext2D, series: Series, frame: Place, first: number, end: number): void {
  const bottom = frame.top + frame.height;
  const edge = (i: number, which: 'min' | 'max') => {
    const y = frame.y(series.extent(Math.max(first, i - 1), Math.min(end, i + 2))[which]);
    return Number.isNaN(y) ? bottom : y;
  };
  context.beginPath();
  for (let i = first; i < end; i++) context.lineTo(frame.x(series.step(i)), edge(i, 'max'));
  for (let i = end - 1; i >= first; i--) context.lineTo(frame.x(series.step(i)), edge(i, 'min'));
  context.fill();
}

/** Calls with the middle of every column that has values, and the range of their indices. */
function eachColumn(
  series: Series,
  frame: Place,
  first: number,
  end: number,
  visit: (x: number, from: number, to: number) => void,
): void {
  let at = first;
  for (let column = 0; column < frame.width && at < end; column++) {
    const next = column + 1 >= frame.width ? end : series.indexFrom(frame.step(column + 1), at, end);
    if (next > at) visit(frame.left + column + 0.5, at, next);
    at = next;
  }
}

function drawDot(context: CanvasRenderingContext2D, series: Series, frame: Place, index: number): void {
  const y = frame.y(series.value(index));
  if (Number.isNaN(y)) return;
  context.beginPath();
  context.arc(frame.x(series.step(index)), y, 3 * frame.ratio, 0, 2 * Math.PI);
  context.fill();
}

/** Crosses for NaN and triangles for infinities, at the edge of the picture; one per place, however many fall on it. */
export function drawOddValues(context: CanvasRenderingContext2D, trace: Trace, frame: Frame, colour: string): void {
  const { raw: series } = trace;
  const place = placeOf(frame, trace.axis);
  const size = 3.5 * frame.ratio;
  const bottom = frame.top + frame.height - size - frame.ratio;
  const top = frame.top + size + frame.ratio;
  context.save();
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1.6 * frame.ratio;
  context.beginPath();
  let last = Number.NEGATIVE_INFINITY;
  for (const index of series.odd) {
    const step = series.step(index);
    if (step < place.first || step > place.last) continue;
    const x = place.x(step);
    if (x - last < 2 * size) continue;
    last = x;
    const value = series.value(index);
    if (Number.isNaN(value)) {
      context.moveTo(x - size, bottom - size);
      context.lineTo(x + size, bottom + size);
      context.moveTo(x + size, bottom - size);
      context.lineTo(x - size, bottom + size);
    } else {
      const [tip, base] = value > 0 ? [top - size, top + size] : [bottom + size, bottom - size];
      context.moveTo(x, tip);
      context.lineTo(x + size, base);
      context.lineTo(x - size, base);
      context.closePath();
    }
  }
  context.stroke();
  context.restore();
}

/** Something that happened, such as a stop by a NaN: a line at a place of the axis. */
export function drawEvent(context: CanvasRenderingContext2D, at: number, frame: Frame, colour: string): void {
  if (!(at >= frame.from && at <= frame.to)) return;
  const x = Math.round(placeOf(frame).x(at)) + 0.5;
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = frame.ratio;
  context.setLineDash([4 * frame.ratio, 3 * frame.ratio]);
  context.beginPath();
  context.moveTo(x, frame.top);
  context.lineTo(x, frame.top + frame.height);
  context.stroke();
  context.restore();
}

/** Something that was kept, such as a checkpoint: a small triangle that stands on the axis. */
export function drawKept(context: CanvasRenderingContext2D, at: number, frame: Frame, colour: string): void {
  if (!(at >= frame.from && at <= frame.to)) return;
  const x = placeOf(frame).x(at);
  const [size, bottom] = [3.5 * frame.ratio, frame.top + frame.height];
  context.save();
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, bottom - 1.6 * size);
  context.lineTo(x + size, bottom);
  context.lineTo(x - size, bottom);
  context.fill();
  context.restore();
}
