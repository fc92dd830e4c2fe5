/** Pictures on the screen against PNG files. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { decodePng, toByte } from '../../../backend/data/png.ts';

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly data: number[];
}

/** As much of the browser as is used here: tests know none. */
interface PageImage {
  decode(): Promise<void>;
  readonly naturalWidth: number;
  readonly naturalHeight: number;
  readonly ownerDocument: { createElement(name: 'canvas'): PageCanvas };
}
interface PageCanvas {
  width: number;
  height: number;
  getContext(kind: '2d'): {
    drawImage(image: PageImage, x: number, y: number): void;
    getImageData(x: number, y: number, width: number, height: number): { data: Iterable<number> };
  };
}

/** Runs in the page: what a picture on the screen consists of. */
export async function pixelsOf(element: unknown): Promise<Pixels> {
  const image = element as PageImage;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = image.ownerDocument.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  return { width, height, data: [...context.getImageData(0, 0, width, height).data] };
}

/** To one of 255 levels: another number of threads may round otherwise. */
export function assertSamePixels({ width, height, data }: Pixels, file: string): void {
  const image = decodePng(readFileSync(file));
  assert.deepEqual(image.shape, [3, height, width]);
  assert.ok(new Set(data).size > 20, 'not one colour');
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (const channel of [0, 1, 2]) {
      const expected = toByte(image.data[channel * width * height + pixel]!);
      const seen = data[4 * pixel + channel]!;
      assert.ok(Math.abs(seen - expected) <= 1, `${file}, pixel ${pixel}, channel ${channel}: ${seen}, ${expected}`);
    }
  }
}
