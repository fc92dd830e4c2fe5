/** An image from a prompt, offline and right after installation: type, Enter, image. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { editorTest } from './driver/editor-test.ts';
import { assertSamePixels, pixelsOf } from './driver/pixels.ts';

const command = new URL('../../dist/dmd.js', import.meta.url).pathname;
const prompt = 'a large red circle on a blue ground';

editorTest('a prompt in the palette becomes an image; it is remembered', {}, async ({ server, workbench }) => {
  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.answer(prompt);
  const panel = workbench.webview();
  const picture = panel.getByRole('button', { name: new RegExp(`^${prompt}, seed \\d+$`) });
  await picture.waitFor({ timeout: 180_000 });
  const pixels = await picture.locator('img').evaluate(pixelsOf);
  assert.deepEqual([pixels.width, pixels.height], [64, 64]);

  const model = await panel.locator('select#model').inputValue();
  const seed = (await picture.getAttribute('aria-label'))!.match(/seed (\d+)$/)![1]!;
  const made = join(server.workspace, 'made');
  const args = ['sample', model, '--prompt', prompt, '--seeds', seed, '--device', 'cpu', '--out', made];
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [file] = readdirSync(made).filter((name) => name.endsWith('.png') && name !== 'grid.png');
  assertSamePixels(pixels, join(made, file!));

  // What is typed comes first, and what was typed before below it.
  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.quickInput.fill('a green dragon');
  await workbench.paletteRow(prompt).waitFor({ state: 'detached' });
  await workbench.quickInput.fill('');
  await workbench.paletteRow(prompt).waitFor();
  await workbench.answer('a green dragon');
  await panel.getByText('This model does not know: dragon').waitFor({ timeout: 120_000 });
});
