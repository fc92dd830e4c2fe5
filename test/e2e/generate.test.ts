/** An image from the palette: the one that the command line makes too, kept as a PNG, and restored from it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { recordRun } from '../webview/monitor/run.ts';
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
    await panel.getByRole('button', { name: 'Use Settings from a PNG File...' }).click();
    await workbench.answerFile(file);
    await panel.getByText('The form has its settings now.').waitFor();
    await until('the seed to be restored', async () => (await seed.inputValue()) === '4711');
    assert.equal(await shown.inputValue(), '4');
  },
);

editorTest(
  'scores are inspected at the noise of an image in the history',
  { newestOnly: true },
  async ({ server, workbench }) => {
    const run = await recordRun('first-run');
    cpSync(run.folder, join(server.workspace, 'runs', 'first-run'), { recursive: true });
    await workbench.openViews();
    await workbench.row('Models', 'first-run').waitFor({ timeout: 240_000 });
    await workbench.run('DMD: Generate Image');
    await workbench.page
      .locator('.quick-input-list .monaco-list-row', { hasText: 'first-run, generator' })
      .first()
      .click();
    await workbench.pick('1');
    await workbench.answer('4711');
    const panel = workbench.webview();
    await panel.getByRole('button', { name: /^1, seed 4711$/ }).waitFor({ timeout: 240_000 });

    // Another image lies over it: the history has the one to inspect.
    await workbench.run('DMD: Generate Image');
    await workbench.pick('Scenes, one-step generator');
    await workbench.pick('star');
    await workbench.answer('5');
    await panel.getByRole('button', { name: 'star, seed 5' }).waitFor({ timeout: 240_000 });
    assert.equal(await panel.getByRole('button', { name: 'Inspect Scores Here' }).count(), 0, 'it has no fake score');
    await panel.getByRole('button', { name: /first-run.*seed 4711/ }).click();
    await panel.getByRole('button', { name: 'Inspect Scores Here' }).click();

    await workbench
      .tab(/Scores|first-run/)
      .first()
      .waitFor();
    const inspector = workbench.webview();
    await inspector.locator('main[data-step][aria-busy="false"]').waitFor({ timeout: 240_000 });
    assert.equal(await inspector.getByLabel('Image', { exact: true }).inputValue(), 'seed');
    assert.equal(await inspector.getByLabel('Seed or number').inputValue(), '4711');
    assert.equal(await inspector.getByLabel('Class', { exact: true }).inputValue(), '1');
  },
);
