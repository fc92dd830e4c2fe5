/** Figure 3 in the real editor: each of the three losses ends where the paper says, in a run that is there like any other. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { listRuns, readConfig, readRun } from '../../backend/runs/folder/run-folder.ts';
import { editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';

/** Each button, and what is to be seen in the end (webview/playground/summary.ts). */
const cases = [
  { loss: 'real', verdict: 'peak' },
  { loss: 'difference', verdict: 'one' },
  { loss: 'regression', verdict: 'all' },
];

editorTest('the playground shows the three cases of Figure 3', { newestOnly: true }, async ({ server, workbench }) => {
  const { page } = workbench;
  // The end is what is looked at: on the way a picture every second and a half will do, and leaves the run its time.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await workbench.openViews();
  await workbench.view('Runs').getByRole('button', { name: 'Open the Playground' }).click();
  const shown = workbench.webview();
  await shown.getByTestId('speed').selectOption('most');
  const root = join(server.workspace, 'runs');
  for (const { loss, verdict } of cases) {
    await shown.locator(`[data-case="${loss}"]`).click();
    await until(
      `the end of ${loss}`,
      async () => /^step 1499 of/.test((await shown.getByTestId('step').textContent()) ?? ''),
      300,
    );
    await shown.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await shown.locator(`[data-testid="verdict"][data-verdict="${verdict}"]`).waitFor();
    await picture(loss);
  }
  const runs = listRuns(root);
  assert.equal(runs.length, 3);
  await workbench.row('Runs', 'playground-two').first().waitFor();
  // The one before was ended with a checkpoint, and can be gone on with from a terminal.
  await until('the runs before to end', () =>
    runs.slice(1).every(({ paths }) => readRun(paths.folder).state === 'stopped'),
  );
  const [latest] = runs;
  assert.equal(readRun(latest!.paths.folder).state, 'paused');
  const config = readConfig(latest!.paths);
  assert.ok(config.kind === 'distill' && config.regression.enabled);

  // Another loss, in the same run.
  await shown.getByLabel('Real score alone').check();
  await shown.getByText('Changed from step 1499 on.').waitFor();
  await until('the change to be noted', () => readRun(latest!.paths.folder).info!.settings.length === 1);

  async function picture(name: string): Promise<void> {
    const folder = process.env.DMD_TEST_PICTURES;
    if (!folder) return;
    for (const [theme, mark, suffix] of [
      ['Default Dark Modern', 'vs-dark', 'dark'],
      ['Default Light Modern', 'vs', 'light'],
    ] as const) {
      server.setting('workbench.colorTheme', theme);
      await page.locator(`.monaco-workbench.${mark}`).waitFor();
      await workbench.picture(join(resolve(folder), `playground-${name}-${suffix}.png`));
    }
  }
});
