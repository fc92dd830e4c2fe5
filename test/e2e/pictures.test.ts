/**
 * Pictures of the panels in every kind of theme, for people to look at: in test-results/pictures/VERSION, or, for the
 * README, in the folder that DMD_TEST_PICTURES names.
 */
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { editorTest } from './driver/editor-test.ts';
import { probeSteps, theRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';

/** For the README the run goes on until there is something to see. */
const probes = process.env.DMD_TEST_PICTURES ? 20 : 3;
const results = fileURLToPath(new URL('../../test-results/pictures', import.meta.url));

/** As in the files' names, as the editor calls them, and as it marks its window. */
const themes = [
  { name: 'dark', theme: 'Default Dark Modern', mark: 'vs-dark' },
  { name: 'light', theme: 'Default Light Modern', mark: 'vs' },
  { name: 'high-contrast-dark', theme: 'Default High Contrast', mark: 'hc-black' },
  { name: 'high-contrast-light', theme: 'Default High Contrast Light', mark: 'hc-light' },
];

editorTest('the panels in every theme', {}, async ({ editor, server, workbench }) => {
  const folder = resolve(process.env.DMD_TEST_PICTURES ?? join(results, editor.vscode));
  mkdirSync(folder, { recursive: true });
  const { page } = workbench;
  const shown = workbench.webview();
  const inAllThemes = async (panel: string) => {
    for (const { name, theme, mark } of themes) {
      server.setting('workbench.colorTheme', theme);
      await page.locator(`.monaco-workbench.${mark}`).waitFor();
      const file = join(folder, `${panel}-${name}.png`);
      await workbench.picture(file);
      assert.ok(statSync(file).size > 10_000, `${file} shows something`);
    }
  };

  await workbench.openViews();
  await workbench.row('Models', 'Scenes, teacher').waitFor();
  await inAllThemes('empty');

  await workbench.run('DMD: Open Generate Panel');
  await shown.getByRole('checkbox', { name: 'Side by side with' }).click();
  await shown.getByRole('button', { name: 'Generate', exact: true }).click();
  await shown.locator('.side .picture img').nth(7).waitFor();
  await inAllThemes('generate');

  await workbench.run('DMD: Start the Built-in Run');
  const run = await theRun(join(server.workspace, 'runs'));
  await until('recorded probes', () => probeSteps(run).length >= probes, 420);
  await shown.getByRole('button', { name: 'Pause' }).click();
  await shown.getByRole('button', { name: 'Go On' }).waitFor();
  await page.setViewportSize({ width: 1400, height: 1340 }); // down to the score fields
  await inAllThemes('monitor');
});
