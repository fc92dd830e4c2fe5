/** An image from the palette: the one that the command line makes too, kept as a PNG, and restored from it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePng, toByte } from '../../backend/data/png.ts';
import { editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';

const command = new URL('../../dist/dmd.js', import.meta.url).pathname;

editorTest('an image is generated, saved, and restored from its PNG', {}, async ({ server, workbench }) => {
  await workbench.run('DMD: Generate Image');
  await workbench.pick('Scenes, one-step generator');
  await workbench.pick('star');
  await workbench.answer('4711');

  const panel = workbench.webview();
  const picture = panel.getByRole('button', { name: 'star, seed 4711' });
  await picture.waitFor({ timeout: 180_000 });
  const pixels = await picture.locator('img').evaluate(pixelsOf);

  const made = join(server.workspace, 'made');
  const args = ['sample', 'builtin:scenes', '--seeds', '4711', '--class', '4', '--out', made];
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assertSamePixels(pixels, join(made, readdirSync(made).find((name) => name !== 'grid.png')!));

  const file = join(server.workspace, 'star.png');
  await panel.getByRole('button', { name: 'Save...' }).click();
  await workbench.answerFile(file);
  await until('the picture to be saved', () => existsSync(file));
  assertSamePixels(pixels, file);

  const seed = panel.getByRole('textbox', { name: 'Seed' });
  const shown = panel.getByRole('combobox', { name: 'Class' });
  await seed.fill('1');
  await shown.selectOption({ label: '3 triangle' });
  await panel.getByRole('button', { name: 'Restore from PNG...' }).click();
  await workbench.answerFile(file);
  await panel.getByText('Settings restored.').waitFor();
  assert.equal(await seed.inputValue(), '4711');
  assert.equal(await shown.inputValue(), '4');
});

interface Pixels {
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
async function pixelsOf(element: unknown): Promise<Pixels> {
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
function assertSamePixels({ width, height, data }: Pixels, file: string): void {
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
