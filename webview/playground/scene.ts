/** Draws the plane: densities below, outlines of the modes, score arrows, samples, and the crosshair on top. */
import type { Target } from '../../backend/protocol/panels/playground-settings.ts';
import { lineColour, themeColour } from '../shared/colours.ts';
import { type Frame, middlesOf, toCanvas } from './frame.ts';
import { networkScore, type Reading } from './summary.ts';
import { type Point, stdsOf } from './targets.ts';

export interface Layers {
  readonly samples: boolean;
  readonly densities: boolean;
  readonly real: boolean;
  readonly fake: boolean;
  readonly difference: boolean;
  readonly exact: boolean;
}

/** Data are orange, samples and their fake score blue, the difference green: also where colours are not all seen, by lightness. */
export const colours = { data: () => lineColour(1), samples: () => lineColour(0), difference: () => lineColour(2) };

/** A reading and the part of the plane it is of. */
export interface Shot {
  readonly reading: Reading;
  readonly frame: Frame;
  readonly columns: number;
  readonly rows: number;
  readonly shade: number;
}

export interface Scene {
  readonly frame: Frame;
  readonly target: Target;
  readonly shot: Shot | null;
  readonly layers: Layers;
  readonly crosshair: Point | null;
}

/** @returns the score that an arrow as long as a cell stands for; 0 without arrows */
export function drawScene(canvas: HTMLCanvasElement, scene: Scene): number {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, tall] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== tall) Object.assign(canvas, { width: wide, height: tall });
  const context = canvas.getContext('2d')!;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const { frame, target, shot, layers, crosshair } = scene;
  const at = (point: Point) => toCanvas(frame, point, width, height);
  const perUnit = width / (frame.right - frame.left);
  if (shot && layers.densities) shadeBoth(context, shot, at);
  outlines(context, target, at, perUnit);
  const longest = shot ? arrows(context, shot, layers, at, perUnit) : 0;
  if (shot && layers.samples) dots(context, shot.reading.samples, at);
  else startMark(context, target, at, perUnit);
  if (crosshair) cross(context, at(crosshair));
  return longest;
}

type At = (point: Point) => Point;

function shadeBoth(context: CanvasRenderingContext2D, { reading, frame, columns, rows, shade }: Shot, at: At): void {
  if (shade === 0) return;
  const [left, top] = at([frame.left, frame.top]);
  const [right, bottom] = at([frame.right, frame.bottom]);
  for (const [density, colour] of [
    [reading.densityReal, colours.data()],
    [reading.densityFake, colours.samples()],
  ] as const) {
    const picture = shaded(density, columns * shade, rows * shade, colour);
    context.drawImage(picture, left, top, right - left, bottom - top);
  }
}

/** Opacity is the root of the density, so that the feet of a Gaussian show. */
function shaded(density: Float32Array, columns: number, rows: number, colour: string): OffscreenCanvas {
  const canvas = new OffscreenCanvas(columns, rows);
  const context = canvas.getContext('2d')!;
  const [red, green, blue] = rgbOf(colour);
  const image = new ImageData(columns, rows);
  const most = density.reduce((max, value) => Math.max(max, value), 0) || 1;
  density.forEach((value, i) => {
    image.data.set([red, green, blue, 150 * Math.sqrt(value / most)], 4 * i);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

function rgbOf(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function outlines(context: CanvasRenderingContext2D, target: Target, at: At, perUnit: number): void {
  const { modes } = target;
  const stds = stdsOf(target);
  context.strokeStyle = colours.data();
  context.lineWidth = 1;
  const deviations = modes.length > 12 ? [1] : [1, 2];
  for (const [k, mode] of modes.entries()) {
    const [x, y] = at(mode);
    for (const far of deviations) {
      context.beginPath();
      context.arc(x, y, far * stds[k]! * perUnit, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

function startMark(context: CanvasRenderingContext2D, { start }: Target, at: At, perUnit: number): void {
  const [x, y] = at(start.centre);
  context.strokeStyle = colours.samples();
  context.setLineDash([3, 3]);
  context.beginPath();
  context.arc(x, y, Math.max(4, 2 * start.std * perUnit), 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
}

function dots(context: CanvasRenderingContext2D, samples: Float32Array, at: At): void {
  context.fillStyle = colours.samples();
  context.strokeStyle = themeColour('editor-background');
  context.lineWidth = 0.75;
  for (let i = 0; i < samples.length; i += 2) {
    const [x, y] = at([samples[i]!, samples[i + 1]!]);
    context.beginPath();
    context.arc(x, y, 2.5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

interface Field {
  readonly vectors: Float32Array;
  readonly colour: string;
  readonly isExact: boolean;
}

/** One scale for all of them, so that they can be compared; a twentieth of the arrows are cut at its end. */
function arrows(context: CanvasRenderingContext2D, shot: Shot, layers: Layers, at: At, perUnit: number): number {
  const { frame, columns, rows } = shot;
  const fields = fieldsOf(shot, layers);
  const sizes = fields.flatMap(({ vectors }) =>
    Array.from({ length: vectors.length / 2 }, (_, i) => Math.hypot(vectors[2 * i]!, vectors[2 * i + 1]!)),
  );
  if (sizes.length === 0) return 0;
  const longest = sizes.sort((a, b) => a - b)[Math.floor(0.95 * (sizes.length - 1))] || 1;
  const cell = ((frame.right - frame.left) / columns) * perUnit;
  const middles = middlesOf(frame, columns, rows);
  for (const { vectors, colour, isExact } of fields) {
    context.strokeStyle = colour;
    context.lineWidth = isExact ? 1 : 1.5;
    context.setLineDash(isExact ? [2, 2] : []);
    context.beginPath();
    for (let i = 0; i < vectors.length; i += 2) {
      const [x, y] = at([middles[i]!, middles[i + 1]!]);
      const [dx, dy] = [vectors[i]!, -vectors[i + 1]!];
      const size = Math.hypot(dx, dy);
      const length = cell * Math.sqrt(Math.min(1, size / longest));
      if (!(length > 1)) continue;
      arrow(context, x, y, (dx / size) * length, (dy / size) * length, isExact ? 0 : Math.min(4, length / 2));
    }
    context.stroke();
  }
  context.setLineDash([]);
  return longest;
}

function arrow(context: CanvasRenderingContext2D, x: number, y: number, dx: number, dy: number, head: number): void {
  const [toX, toY] = [x + dx, y + dy];
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  if (head === 0) return;
  const angle = Math.atan2(dy, dx);
  for (const turn of [2.6, -2.6]) {
    context.moveTo(toX, toY);
    context.lineTo(toX + head * Math.cos(angle + turn), toY + head * Math.sin(angle + turn));
  }
}

function fieldsOf({ reading, frame, columns, rows }: Shot, layers: Layers): Field[] {
  const middles = middlesOf(frame, columns, rows);
  const real = networkScore(reading.muReal, middles, reading.sigma);
  const fake = reading.muFake && networkScore(reading.muFake, middles, reading.sigma);
  const made: Field[] = [];
  const add = (vectors: Float32Array | null, colour: string, isExact = false) =>
    vectors && made.push({ vectors, colour, isExact });
  const shown = (field: 'real' | 'fake') => layers[field];
  if (shown('real')) add(real, colours.data());
  if (shown('fake')) add(fake, colours.samples());
  if (layers.difference) add(minus(real, fake), colours.difference());
  if (layers.exact) {
    const none = !layers.real && !layers.fake && !layers.difference;
    const ink = themeColour('foreground');
    if (shown('real') || none) add(reading.scoreReal, ink, true);
    if (shown('fake') || none) add(reading.scoreFake, ink, true);
    if (layers.difference) add(minus(reading.scoreReal, fake ? reading.scoreFake : null), ink, true);
  }
  return made;
}

/** Without a fake score the real one is the whole of it. */
const minus = (a: Float32Array, b: Float32Array | null) => (b ? a.map((value, i) => value - b[i]!) : a);

function cross(context: CanvasRenderingContext2D, [x, y]: Point): void {
  context.strokeStyle = themeColour('focusBorder');
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x - 9, y);
  context.lineTo(x + 9, y);
  context.moveTo(x, y - 9);
  context.lineTo(x, y + 9);
  context.stroke();
}
