// node scripts/icon.mjs: draws media/icon.svg and media/icon.png (128x128) from one list of shapes.
//
// Noise on the left, one arrow, a clean disc on the right: many steps become one.
import { mkdir, writeFile } from 'node:fs/promises';
import { encode } from 'fast-png';
import { main } from './lib/console.mjs';

const size = 128;
const ground = [24, 26, 38];
const disc = [250, 176, 72];
const line = [236, 239, 244];

main(async () => {
  const shapes = [rounded(0, 0, size, size, 22, ground), ...noise(), ...arrow(), circle(96, 64, 18, disc)];
  await mkdir(new URL('../media/', import.meta.url), { recursive: true });
  await writeFile(new URL('../media/icon.svg', import.meta.url), svg(shapes));
  await writeFile(new URL('../media/icon.png', import.meta.url), png(shapes));
});

/** A 5 by 5 patch of coloured squares: the disc's colour and the ground's, mixed by a fixed pseudo-random sequence. */
function noise() {
  let state = 11;
  const next = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const cells = Array.from({ length: 25 }, (_, index) => [index % 5, Math.floor(index / 5)]);
  return cells.map(([column, row]) => {
    const color = disc.map((value) => Math.round(90 + 0.5 * (value - 90) + 150 * (next() - 0.5)));
    return rounded(14 + 8 * column, 44 + 8 * row, 7, 7, 1.5, color);
  });
}

function arrow() {
  const head = [0, 1, 2, 3, 4, 5].map((i) => rounded(66 + i, 58 + i, 1.5, 12 - 2 * i, 0.5, line));
  return [rounded(58, 62.5, 10, 3, 1.5, line), ...head];
}

function circle(x, y, radius, color) {
  return rounded(x - radius, y - radius, 2 * radius, 2 * radius, radius, color);
}

function rounded(x, y, width, height, radius, color) {
  return { x, y, width, height, radius, color };
}

function svg(shapes) {
  const rectangles = shapes.map(
    ({ x, y, width, height, radius, color }) =>
      `  <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="rgb(${color.join(' ')})"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}">\n  <title>DMD Workbench</title>\n${rectangles.join('\n')}\n</svg>\n`;
}

/** Paints back to front; a pixel's cover is read from the distance to the shape's edge. */
function png(shapes) {
  const data = new Uint8Array(size * size * 4);
  for (let index = 0; index < size * size; index++) {
    let pixel = [0, 0, 0, 0];
    for (const shape of shapes) {
      const cover = coverage(shape, (index % size) + 0.5, Math.floor(index / size) + 0.5);
      pixel = over([...shape.color, cover], pixel);
    }
    data.set([...pixel.slice(0, 3).map(Math.round), Math.round(255 * pixel[3])], 4 * index);
  }
  return encode({ width: size, height: size, data, channels: 4 });
}

/** 1 inside, 0 outside, in between within half a pixel of the edge. */
function coverage({ x, y, width, height, radius }, px, py) {
  const dx = Math.abs(px - x - width / 2) - width / 2 + radius;
  const dy = Math.abs(py - y - height / 2) - height / 2 + radius;
  const distance = Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  return Math.min(Math.max(0.5 - distance, 0), 1);
}

function over([r, g, b, a], [r0, g0, b0, a0]) {
  const alpha = a + a0 * (1 - a);
  if (alpha === 0) return [0, 0, 0, 0];
  const mix = (front, back) => (front * a + back * a0 * (1 - a)) / alpha;
  return [mix(r, r0), mix(g, g0), mix(b, b0), alpha];
}
