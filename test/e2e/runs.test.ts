/**
 * The runs view as a person uses it: clicks share a monitor, keys rename and delete, a reload opens nothing twice; and what ended
 * while no window was open is told by the next one.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { iterations, recordRun } from '../webview/monitor/run.ts';
import { editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';
import type { Workbench } from './driver/workbench.ts';

const pictures = fileURLToPath(new URL('../../test-results/pictures/runs', import.meta.url));
const before = '2026-01-01T00:00:00.000Z';

editorTest('runs are clicked, renamed, deleted, brought back and told of', { newestOnly: true }, async (context) => {
  const { server, workbench } = context;
  const { page } = workbench;
  const root = join(server.workspace, 'runs');
  const recorded = process.env.DMD_TEST_RUN ?? (await recordRun('recorded')).folder;
  const put = (name: string, change: object) => {
    cpSync(recorded, join(root, name), { recursive: true });
    say(root, name, { endedAt: before, ...change });
  };
  put('well', {});
  put('stopped-by-nan', stoppedByNaN(recorded));
  await workbench.openViews();
  await workbench.row('Runs', 'well').waitFor();

  await workbench.row('Runs', 'well').click();
  await workbench.webview().locator('.chart').first().waitFor();
  await workbench.row('Runs', 'stopped-by-nan').click();
  await until('the one monitor to show the other run', async () => (await tabs(workbench)).join() === 'stopped-by-nan');
  await workbench.webview().getByRole('button', { name: 'Show the Stopped Step' }).click();
  await workbench
    .webview()
    .locator(`.field-grid[data-step="${iterations + 1}"]`)
    .waitFor();
  await inThemes(context, 'stopped');
  await workbench.row('Runs', 'stopped-by-nan').dblclick();
  await workbench.row('Runs', 'well').click();
  await until('a monitor beside the kept one', async () => (await tabs(workbench)).join() === 'stopped-by-nan,well');

  // The tab that is not looked at comes back only when it is.
  await workbench.webview().locator('.chart').first().waitFor();
  await workbench.reloadInOrder();
  await workbench.openViews();
  await workbench.row('Runs', 'stopped-by-nan').click();
  await workbench.webview().getByRole('button', { name: 'Show the Stopped Step' }).waitFor();
  assert.deepEqual(await tabs(workbench), ['stopped-by-nan', 'well'], 'no second tab');

  // The keyboard is on another line than the selected one.
  await workbench.row('Runs', 'stopped-by-nan').click();
  const focused = workbench.view('Runs').locator('.monaco-list-row.focused');
  await page.keyboard.press('ArrowDown');
  if (!(await focused.textContent())?.includes('well')) {
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
  }
  await focused.filter({ hasText: 'well' }).waitFor();
  const name = async () => (await workbench.quickInput.isVisible()) && workbench.quickInput.inputValue();
  await until('the name to be asked', async () => {
    if ((await name()) === 'well') return true;
    await focused.press('F2');
    await page.waitForTimeout(2000);
    return (await name()) === 'well';
  });
  await workbench.answer('better');
  await workbench.row('Runs', 'better').waitFor();
  await workbench.tab('better').waitFor();

  await focused.filter({ hasText: 'better' }).waitFor();
  await workbench.view('Runs').locator('.monaco-list').first().focus();
  await page.keyboard.press('Delete');
  await workbench
    .dialog()
    .getByText(/Delete the run "better"|Move the run "better"/)
    .waitFor();
  await workbench.picture(join(pictures, 'delete.png'));
  await workbench
    .dialog()
    .getByRole('button', { name: /^(Delete|Move to Trash)$/ })
    .click();
  await until('the run to be gone', () => !existsSync(join(root, 'well')));
  await workbench.row('Runs', 'better').waitFor({ state: 'detached' });
  await workbench.notification('was deleted').getByRole('button', { name: 'Undo' }).click();
  await workbench.row('Runs', 'better').waitFor();
  assert.ok(existsSync(join(root, 'well', 'run.json')));

  // A night without a window.
  await page.goto('about:blank');
  put('night', { endedAt: new Date().toISOString() });
  put('bad-night', { ...stoppedByNaN(recorded), endedAt: new Date().toISOString() });
  await workbench.open(server.url);
  await workbench.notification('The run "night" finished after step').waitFor();
  const failed = workbench.notification('The run "bad-night" failed');
  await failed.waitFor();
  await workbench.statusItem('bad-night failed').waitFor();
  await inThemes(context, 'notices');
  await failed.getByRole('button', { name: 'Show the Stopped Step' }).click();
  await workbench
    .webview()
    .locator(`.field-grid[data-step="${iterations + 1}"]`)
    .waitFor();
  await workbench.statusItem('bad-night failed').waitFor({ state: 'detached' });
  await workbench.webview().getByRole('button', { name: 'Resume with Changes…' }).click();
  await workbench.paletteRow('Resume').waitFor();
  await page.locator('.quick-input-list', { hasText: 'generator.lr' }).first().waitFor();
  await inThemes(context, 'changes');
});

/** Titles of the monitors' tabs, in order. */
async function tabs({ page }: Workbench): Promise<string[]> {
  const titles = await page.locator('.tabs-container .tab .label-name').allTextContents();
  return titles.map((title) => title.trim()).sort();
}

/** What run.json says from now on. */
function say(root: string, name: string, change: object): void {
  const file = join(root, name, 'run.json');
  const info = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, `${JSON.stringify({ ...info, ...change }, null, 2)}\n`);
}

/** As the loop leaves a run whose loss became NaN; its tensors are there already. */
function stoppedByNaN(recorded: string): object {
  const name = `step-${String(iterations + 1).padStart(8, '0')}.safetensors`;
  const stop = join(recorded, 'fields', 'stop');
  mkdirSync(stop, { recursive: true });
  const training = join(recorded, 'fields', 'training', `step-${String(iterations).padStart(8, '0')}.safetensors`);
  cpSync(training, join(stop, name));
  const message = `loss/matching became NaN or infinite in step ${iterations + 1}; the step was not committed`;
  const hint = `Look at them, then go on from step ${iterations}, for example with a lower rate: dmd distill --resume ${recorded} --set generator.lr=...`;
  return { state: 'failed', error: { message, hint, fields: `fields/stop/${name}` } };
}

async function inThemes(
  { server, workbench }: { server: { setting(key: string, value: unknown): void }; workbench: Workbench },
  name: string,
) {
  mkdirSync(pictures, { recursive: true });
  for (const [theme, mark] of [
    ['Default Light Modern', 'vs'],
    ['Default Dark Modern', 'vs-dark'],
  ] as const) {
    server.setting('workbench.colorTheme', theme);
    await workbench.page.locator(`.monaco-workbench.${mark}`).waitFor();
    await workbench.picture(join(pictures, `${name}-${mark}.png`));
  }
}
