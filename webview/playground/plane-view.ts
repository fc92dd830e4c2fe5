/** The canvas with the plane: looked at, drawn on with the pointer, or with the keyboard. */
import { mixtureSection } from '../../backend/protocol/config/mixture.ts';
import type { Target } from '../../backend/protocol/panels/playground-settings.ts';
import { element, setText } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import { beforeNextFrame } from '../shared/frame.ts';
import { fill } from '../shared/initial.ts';
import { fitStroke } from './fit.ts';
import { cellsOf, type Frame, frameOf, toPlane } from './frame.ts';
import type { Playground } from './playground.ts';
import { drawScene } from './scene.ts';
import { alongStroke, mostModes, type Point, rounded, withModes, withoutNearest } from './targets.ts';

export type Tool = 'look' | 'draw' | 'start';

/** Pixels from one arrow to the next. */
const cellSize = 26;

export class PlaneView {
  readonly root: HTMLElement;
  /** What is said to who cannot see it. */
  readonly #live = element('div', { class: 'spoken', role: 'status', 'data-testid': 'spoken' });
  readonly #canvas: HTMLCanvasElement;
  readonly #scale = element('p', { class: 'muted small scale', 'data-testid': 'scale' });
  readonly #playground: Playground;
  #tool: Tool = 'look';
  #crosshair: Point | null = null;
  /** What is being drawn, and the target before it. */
  #stroke: { readonly points: Point[]; readonly before: Target } | null = null;
  readonly redraw = beforeNextFrame(() => this.#draw());

  constructor(playground: Playground) {
    this.#playground = playground;
    const { texts } = playground;
    this.#canvas = element('canvas', {
      ...{ class: 'plane', tabindex: 0, role: 'application', 'data-testid': 'plane', 'aria-describedby': 'draw-hint' },
      'aria-label': texts.plane,
      onkeydown: (event: KeyboardEvent) => this.#key(event),
      onpointerdown: (event: PointerEvent) => this.#down(event),
      onpointermove: (event: PointerEvent) => this.#move(event),
      onpointerup: () => this.#up(),
      onpointercancel: () => this.#up(),
      onblur: () => {
        this.#crosshair = null;
        this.redraw();
      },
    });
    this.root = element('div', { class: 'plane-box' }, this.#canvas, this.#scale, this.#live);
    new ResizeObserver(() => this.update()).observe(this.#canvas);
  }

  set tool(tool: Tool) {
    this.#tool = tool;
    this.#canvas.dataset.tool = tool;
  }

  update(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0 || height === 0) return;
    this.#playground.view({ ...this.#frame(), ...cellsOf(width, height, cellSize) });
    this.redraw();
  }

  say(text: string): void {
    setText(this.#live, text);
  }

  #frame(): Frame {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    return frameOf(this.#playground.settings.target, width, height);
  }

  #draw(): void {
    const { settings, shot, layers, texts } = this.#playground;
    const shown = this.#playground.isOther ? { ...layers, samples: layers.samples && shot !== null } : layers;
    const longest = drawScene(this.#canvas, {
      ...{ frame: this.#frame(), target: settings.target, shot, layers: shown, crosshair: this.#crosshair },
    });
    setText(this.#scale, longest > 0 ? fill(texts.arrows, number(longest, 3)) : ' ');
  }

  #key(event: KeyboardEvent): void {
    const { left, right, bottom, top } = this.#frame();
    const far = (right - left) * (event.shiftKey ? 0.1 : 0.02);
    const moves: Record<string, Point> = {
      ...{ ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] },
    };
    const { texts } = this.#playground;
    const at = this.#crosshair ?? [(left + right) / 2, (bottom + top) / 2];
    const move = moves[event.key];
    const within = (value: number, low: number, high: number) => rounded(Math.min(high, Math.max(low, value)));
    if (move) {
      this.#crosshair = [within(at[0] + move[0], left, right), within(at[1] + move[1], bottom, top)];
      this.say(fill(texts.crosshair, this.#crosshair[0], this.#crosshair[1]));
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (this.#tool === 'start') this.#startAt(at);
      else if (this.#tool === 'draw') this.#place([at]);
      else return;
    } else if ((event.key === 'Delete' || event.key === 'Backspace') && this.#tool === 'draw') this.#remove(at);
    else return;
    event.preventDefault();
    this.redraw();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 || this.#tool === 'look') return;
    this.#canvas.setPointerCapture(event.pointerId);
    const at = this.#pointAt(event);
    if (this.#tool === 'start') this.#startAt(at);
    else {
      this.#stroke = { points: [at], before: this.#playground.settings.target };
      this.#place([at]);
    }
  }

  #move(event: PointerEvent): void {
    if (!this.#stroke) return;
    const { points } = this.#stroke;
    points.push(this.#pointAt(event));
    this.#place(points.slice(-2));
  }

  /** What was placed along the stroke becomes what fits it; a dot stays the mode that it is. */
  #up(): void {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (!stroke || stroke.points.length < 2) return;
    const { points, before } = stroke;
    const fitted = fitStroke(points, before.std, Math.max(1, mostModes - before.modes.length));
    const modes = [...before.modes, ...fitted.modes];
    if (modes.length > mostModes) return;
    this.#set(withModes(before, modes, fitted.stds));
    const [least, most] = [Math.min(...fitted.stds), Math.max(...fitted.stds)];
    this.say(fill(this.#playground.texts.fitted, fitted.modes.length, least, most, modes.length));
  }

  #pointAt({ offsetX, offsetY }: PointerEvent): Point {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    return toPlane(this.#frame(), [offsetX, offsetY], width, height);
  }

  #place(stroke: readonly Point[]): void {
    const { settings, texts } = this.#playground;
    const { target } = settings;
    const modes = alongStroke(target.modes, stroke, target.std);
    if (modes.length === target.modes.length) {
      if (modes.length >= mostModes) this.#playground.say(fill(texts.tooMany, mostModes));
      return;
    }
    this.#set(withModes(target, modes));
    const [x, y] = modes.at(-1)!;
    this.say(fill(texts.placed, x, y, modes.length));
  }

  /** A target has one mode at least. */
  #remove(at: Point): void {
    const { target } = this.#playground.settings;
    if (target.modes.length < 2) return;
    const fewer = withoutNearest(target, at);
    this.#set(fewer);
    this.say(fill(this.#playground.texts.removed, fewer.modes.length));
  }

  #startAt([x, y]: Point): void {
    const { target } = this.#playground.settings;
    const centre: [number, number] = [rounded(x), rounded(y)];
    this.#set({ ...target, start: { ...target.start, centre } });
    this.say(fill(this.#playground.texts.startMoved, ...centre));
  }

  #set(target: Playground['settings']['target']): void {
    if (mixtureSection.safeParse(target).success) this.#playground.setTarget(target);
  }
}
