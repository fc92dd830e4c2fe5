/**
 * One picture or signed field on a canvas. Its colours are made once for a content and a scale; panning and zooming only draw
 * them again, and another scale recomputes nothing but the colours. Numbers that are not finite are magenta and crossed out.
 */
import { apply, element } from '../dom.ts';
import { number } from '../format.ts';
import { beforeNextFrame } from '../frame.ts';
import { divergingInk, nanInk } from './colour-map.ts';
import type { HeatmapGroup } from './group.ts';
import { type Picture, valueAt } from './picture.ts';
import { listenToPointer } from './pointer.ts';
import { type Channels, type OddPlaces, type Range, rasterImage, rasterSigned, tilesOf } from './raster.ts';
import { crosshair, crossOut, drawnTiles } from './tiles.ts';

export interface HeatmapContent {
  readonly picture: Picture;
  /** `signed`: colours around zero; `image`: numbers as grey or colours. */
  readonly kind: 'signed' | 'image';
  /** What is black and white in an image; default: -1 and 1. */
  readonly range?: Range;
  readonly channels: Channels;
  /** Where the colours of a signed one end, above 0. */
  readonly end: number;
  /** What it is, for those who do not see it. */
  readonly name: string;
  /** What is heard instead of the pixels. */
  readonly summary: string;
}

export class HeatmapView {
  readonly canvas = element('canvas', { class: 'heatmap', role: 'img' });
  readonly #group: HeatmapGroup;
  readonly #source = new OffscreenCanvas(1, 1);
  readonly #endings: (() => void)[];
  readonly #drawSoon = beforeNextFrame(() => this.draw());
  #image: ImageData | null = null;
  #content: HeatmapContent | null = null;
  #odd: OddPlaces = [];

  constructor(group: HeatmapGroup) {
    this.#group = group;
    const observer = new ResizeObserver(() => this.#drawSoon());
    observer.observe(this.canvas);
    this.#endings = [
      () => observer.disconnect(),
      group.add(this),
      group.viewport.onChange.on(() => this.#drawSoon()),
      group.onPoint.on(() => this.#drawSoon()),
    ];
    listenToPointer(this.canvas, group, () => this.#content);
  }

  get content(): HeatmapContent | null {
    return this.#content;
  }

  get size(): { width: number; height: number } | null {
    return this.#content && { width: this.#content.picture.width, height: this.#content.picture.height };
  }

  /** The whole of it, a pixel a number. */
  get whole(): OffscreenCanvas {
    return this.#source;
  }

  dispose(): void {
    for (const end of this.#endings) end();
  }

  /** Makes the colours and draws them. The content's numbers are not copied: they must stay as they are. */
  show(content: HeatmapContent): void {
    this.#content = content;
    const { picture, channels, kind, end, range } = content;
    const { width, height } = tilesOf(picture, channels);
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(Math.max(1, width), Math.max(1, height));
      [this.#source.width, this.#source.height] = [this.#image.width, this.#image.height];
    }
    const pixels = new Uint32Array(this.#image.data.buffer);
    this.#odd =
      kind === 'signed'
        ? rasterSigned(picture, channels, end, { table: divergingInk(), odd: nanInk }, pixels)
        : rasterImage(picture, channels, nanInk, pixels, range);
    this.#source.getContext('2d')!.putImageData(this.#image, 0, 0);
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    apply(this.canvas, { 'aria-label': `${content.name}. ${content.summary}`, 'data-end': kind === 'signed' && end });
    this.draw();
  }

  /** Draws what is seen of it. */
  draw(): void {
    const content = this.#content;
    if (!content) return;
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (width === 0 || height === 0) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext('2d')!;
    context.clearRect(0, 0, width, height);
    const tiles = drawnTiles(content, this.#group.viewport, this.canvas);
    for (const tile of tiles) {
      // Larger than life every number is a block; smaller, neighbours are mixed rather than left out.
      context.imageSmoothingEnabled = tile.width < tile.numbersAcross;
      const { sourceX, sourceY, sourceWidth, sourceHeight, x, y } = tile;
      context.drawImage(
        this.#source,
        ...([sourceX, sourceY, sourceWidth, sourceHeight, x, y, tile.width, tile.height] as const),
      );
      crossOut(context, tile, this.#odd);
      if (this.#group.place) crosshair(context, tile, this.#group.place);
    }
  }

  /** One value per channel at the group's place; null without one. */
  values(): number[] | null {
    const { place } = this.#group;
    const picture = this.#content?.picture;
    if (!place || !picture) return null;
    const [x, y] = [cell(place.x, picture.width), cell(place.y, picture.height)];
    return Array.from({ length: picture.channels }, (_, channel) => valueAt(picture, channel, x, y));
  }

  /** What stands under the picture: the value of what is shown, and of the channels where it is their mean. */
  readout(): string {
    const values = this.values();
    if (!values || !this.#content) return '';
    const { channels } = this.#content;
    const each = values.map((value) => number(value, 3));
    if (typeof channels === 'number') return each[Math.min(channels, each.length - 1)]!;
    if (channels === 'apart' || values.length === 1) return each.join('  ');
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${number(mean, 3)}  (${each.join('  ')})`;
  }

  words(): string {
    const readout = this.readout();
    return readout && `${this.#content!.name}: ${readout}`;
  }
}

const cell = (part: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(part * size)));
