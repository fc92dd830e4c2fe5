/** An image from the palette: the one that the command line makes too, kept as a PNG, and restored from it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { editorTest } from './driver/editor-test.ts';
import { assertSamePixels, pixelsOf } from './driver/pixels.ts';
import { until } from './driver/until.ts';

const command = new URL('../../dist/dmd.js', import.meta.url).pathname;

editorTest(
  'an image is generated, saved, and restored from its PNG',
  { newestOnly: true },
  async ({ server, workbench }) => {
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
    await until('the seed to be restored', async () => (await seed.inputValue()) === '4711');
    assert.equal(await shown.inputValue(), '4');
  },
);
