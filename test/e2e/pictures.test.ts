/**
 * Pictures of the panels in every kind of theme, for people to look at: in test-results/pictures/VERSION, or, for the
 * README, in the folder that DMD_TEST_PICTURES names, with the run whose folder DMD_TEST_RUN names.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordRun } from '../webview/monitor/run.ts';
import { editorTest } from './driver/editor-test.ts';

const results = fileURLToPath(new URL('../../test-results/pictures', import.meta.url));

/** As in the files' names, as the editor calls them, and as it marks its window. */
const themes = [
  { name: 'dark', theme: 'Default Dark Modern', mark: 'vs-dark' },
  { name: 'light', theme: 'Default Light Modern', mark: 'vs' },
  { name: 'high-contrast-dark', theme: 'Default High Contrast', mark: 'hc-black' },
  { name: 'high-contrast-light', theme: 'Default High Contrast Light', mark: 'hc-light' },
];

const config = `{
  // A mistake is marked, with what was probably meant.
  "kind": "distill",
  "teacher": "builtin:scenes",
  "iteratons": 5000,
  "matching": { "weight": "eq8" },
  "regression": { "lambda": 0.25, "pairs": { "count": 1000 } },
}
`;

editorTest('the panels in every theme', { files: { 'mine.dmd.json': config }, newestOnly: true }, async (context) => {
  const { editor, server, workbench } = context;
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

  server.setting('dmd.notifications', false);
  server.setting('remote.autoForwardPorts', false);
  await workbench.openViews();
  await workbench.row('Models', 'Scenes, teacher').waitFor();
  await workbench.view('Runs').getByRole('button', { name: 'Open the Walkthrough' }).click();
  await page.getByText('Make an image in one call').first().waitFor();
  await inAllThemes('walkthrough');

  const prompt = 'a red circle on a blue ground';
  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.answer(prompt);
  await shown.getByRole('button', { name: new RegExp(`^${prompt}, seed`) }).waitFor();
  await shown.getByRole('textbox', { name: 'Seed' }).fill('2');
  await shown.getByRole('button', { name: 'Generate', exact: true }).click();
  await shown.getByRole('button', { name: `${prompt}, seed 2`, exact: true }).waitFor();
  await workbench.run('DMD: Generate Image from Prompt');
  await workbench.quickInput.fill('a green star on a white ground');
  await inAllThemes('prompt');
  await page.keyboard.press('Escape');

  await workbench.run('DMD: Open Generate Panel');
  await shown.locator('select#model').selectOption('builtin:scenes');
  await shown.getByRole('textbox', { name: 'Images' }).fill('4');
  await shown.getByRole('checkbox', { name: 'Side by side with' }).click();
  await shown.getByRole('button', { name: 'Generate', exact: true }).click();
  await shown.locator('.side .picture img').nth(7).waitFor();
  await inAllThemes('generate');

  const run = process.env.DMD_TEST_RUN ?? (await recordRun('first-run')).folder;
  cpSync(run, join(server.workspace, 'runs', 'first-run'), { recursive: true });
  await workbench.row('Runs', 'first-run').click();
  await shown.locator('.field-grid').first().waitFor();
  await page.setViewportSize({ width: 1400, height: 1340 }); // down to the score fields
  await inAllThemes('monitor');

  await workbench.chooseFromMenu(workbench.row('Runs', 'first-run'), 'Inspect Scores');
  await shown.locator('main[data-step][aria-busy="false"]').waitFor({ timeout: 240_000 });
  await inAllThemes('inspector');

  await page.setViewportSize({ width: 1400, height: 900 });
  await page.keyboard.press('Control+P');
  await workbench.quickInput.fill('mine.dmd.json');
  await workbench.paletteRow('mine.dmd.json').click();
  await page.locator('.codelens-decoration a', { hasText: 'Start Run' }).waitFor();
  await page.keyboard.press('Control+Shift+M');
  await page.locator('.markers-panel .monaco-list-row', { hasText: 'iteratons' }).waitFor();
  await inAllThemes('config');
});
