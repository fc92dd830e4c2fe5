/** Puts pictures and signed fields on a canvas, one canvas pixel block per number; NaN pixels are crossed out. */
import { divergingTable, nanColour, tableIndex } from './colour-map.ts';
import { type Picture, valueAt } from './picture.ts';

/** Blocks are made at least this wide in all, so that a cross fits into one. */
const leastWidth = 128;

/** An image in [-1, 1]: one channel is grey, three are colours. With `channel` of 0 or more, that one in grey. */
export function paintImage(canvas: HTMLCanvasElement, picture: Picture, channel: number): void {
  const plane = picture.height * picture.width;
  const coloured = channel < 0 && picture.channels === 3;
  const byte = (value: number) => (value + 1) * 127.5;
  paint(canvas, picture, channel, (pixel, i, value) => {
    for (let c = 0; c < 3; c++) pixel[c] = byte(coloured ? picture.data[c * plane + i]! : value);
  });
}

/** Numbers around zero; `end` is where the colours end. */
export function paintSigned(canvas: HTMLCanvasElement, picture: Picture, channel: number, end: number): void {
  const table = divergingTable();
  paint(canvas, picture, channel, (pixel, _, value) => {
    const at = tableIndex(value, end) * 3;
    for (let c = 0; c < 3; c++) pixel[c] = table[at + c]!;
  });
}

type Colour = (pixel: Uint8ClampedArray, index: number, value: number) => void;

function paint(canvas: HTMLCanvasElement, picture: Picture, channel: number, colour: Colour): void {
  const { width, height } = picture;
  const block = Math.max(1, Math.ceil(leastWidth / width));
  if (canvas.width !== width * block || canvas.height !== height * block) {
    canvas.width = width * block;
    canvas.height = height * block;
  }
  const context = canvas.getContext('2d')!;
  const image = new ImageData(width, height);
  const odd: number[] = [];
  for (let i = 0; i < width * height; i++) {
    const pixel = image.data.subarray(i * 4, i * 4 + 4);
    const value = valueAt(picture, channel, i % width, Math.floor(i / width));
    if (Number.isFinite(value)) colour(pixel, i, value);
    else {
      pixel.set(nanColour);
      odd.push(i);
    }
    pixel[3] = 255;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d')!.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  crossOut(context, odd, width, block);
}

function crossOut(context: CanvasRenderingContext2D, pixels: readonly number[], width: number, block: number): void {
  if (block < 3 || pixels.length === 0) return;
  context.strokeStyle = '#000';
  context.lineWidth = Math.max(1, block / 8);
  context.beginPath();
  for (const i of pixels) {
    const x = (i % width) * block;
    const y = Math.floor(i / width) * block;
    context.moveTo(x, y);
    context.lineTo(x + block, y + block);
    context.moveTo(x + block, y);
    context.lineTo(x, y + block);
  }
  context.stroke();
}
