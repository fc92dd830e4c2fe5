/** Where the channels of a picture are drawn, each with the same part of it, and the marks on them. */
import type { Place } from './group.ts';
import type { Picture } from './picture.ts';
import { type Channels, type OddPlaces, tilesOf } from './raster.ts';
import type { Viewport } from './viewport.ts';

export interface DrawnTile {
  /** On the canvas, in its pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** How many numbers of a row are seen. */
  readonly numbersAcross: number;
  /** One channel's size in numbers, and where it is among all. */
  readonly size: { readonly width: number; readonly height: number };
  readonly originX: number;
  readonly originY: number;
  /** The part that is seen, in numbers. */
  readonly sourceX: number;
  readonly sourceY: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

export function drawnTiles(
  { picture, channels }: { readonly picture: Picture; readonly channels: Channels },
  { left, top, zoom }: Viewport,
  canvas: { readonly width: number; readonly height: number },
): DrawnTile[] {
  const { columns, rows } = tilesOf(picture, channels);
  const [width, height] = [canvas.width / columns, canvas.height / rows];
  return Array.from({ length: channels === 'apart' ? picture.channels : 1 }, (_, tile) => {
    const [column, row] = [tile % columns, Math.floor(tile / columns)];
    const [originX, originY] = [column * picture.width, row * picture.height];
    return {
      ...{ x: column * width, y: row * height, width, height, numbersAcross: picture.width / zoom, size: picture },
      ...{ originX, originY, sourceX: originX + left * picture.width, sourceY: originY + top * picture.height },
      ...{ sourceWidth: picture.width / zoom, sourceHeight: picture.height / zoom },
    };
  });
}

/** A cross is at least so wide, in pixels of the canvas. */
const leastMark = 5;

/** Marks what is not finite. */
export function crossOut(context: CanvasRenderingContext2D, tile: DrawnTile, odd: OddPlaces): void {
  const { originX, originY, size } = tile;
  const own = odd.filter(
    ({ x, y }) => x >= originX && x < originX + size.width && y >= originY && y < originY + size.height,
  );
  if (own.length === 0) return;
  const [perX, perY] = [tile.width / tile.sourceWidth, tile.height / tile.sourceHeight];
  const arm = Math.max(leastMark, perX) / 2;
  context.save();
  context.beginPath();
  context.rect(tile.x, tile.y, tile.width, tile.height);
  context.clip();
  context.beginPath();
  for (const place of own) {
    const x = tile.x + (place.x + 0.5 - tile.sourceX) * perX;
    const y = tile.y + (place.y + 0.5 - tile.sourceY) * perY;
    context.moveTo(x - arm, y - arm);
    context.lineTo(x + arm, y + arm);
    context.moveTo(x + arm, y - arm);
    context.lineTo(x - arm, y + arm);
  }
  // Black on white shows on every colour.
  for (const [style, width] of [
    ['#fff', 3],
    ['#000', 1],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
  context.restore();
}

/** A frame around the number at the place. */
export function crosshair(context: CanvasRenderingContext2D, tile: DrawnTile, place: Place): void {
  const [perX, perY] = [tile.width / tile.sourceWidth, tile.height / tile.sourceHeight];
  const at = (part: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(part * count)));
  const x = tile.x + (at(place.x, tile.size.width) + tile.originX - tile.sourceX) * perX;
  const y = tile.y + (at(place.y, tile.size.height) + tile.originY - tile.sourceY) * perY;
  const [width, height] = [Math.max(3, perX), Math.max(3, perY)];
  if (x + width < tile.x || y + height < tile.y || x > tile.x + tile.width || y > tile.y + tile.height) return;
  context.lineWidth = 1;
  context.strokeStyle = '#000';
  context.strokeRect(x - 1.5, y - 1.5, width + 3, height + 3);
  context.strokeStyle = '#fff';
  context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
}
