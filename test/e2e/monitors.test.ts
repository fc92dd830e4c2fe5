/** Two monitors of one run at work: each is live by itself, whatever is done to the other. */
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { makeRun } from '../unit/server/run-folders.ts';
import { editorTest } from './driver/editor-test.ts';
import { curve, theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';
import type { Workbench } from './driver/workbench.ts';

editorTest(
  'two monitors of one run are live, hidden, shown again and closed, each for itself',
  { newestOnly: true },
  async ({ server, workbench }) => {
    const runs = join(server.workspace, 'runs');
    await workbench.run('DMD: Start the Built-in Run');
    const run = await theRun(runs);
    await goesOn('the first monitor', await monitorOf(workbench, 1));

    // The same runs would be shown in the monitor that is there: the second one has another run beside, which never began.
    makeRun(runs, { name: 'beside' }).close();
    await workbench.openViews();
    await workbench.row('Runs', 'beside').waitFor();
    await workbench.run('DMD: Compare Runs');
    for (const name of ['first-run', 'beside']) {
      await workbench.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).click();
    }
    await workbench.page.keyboard.press('Enter');
    const both = await monitorOf(workbench, 2);
    await both.getByRole('button', { name: basename(run), exact: true }).click();
    await goesOn('the second monitor, over the first', both);

    await workbench.run('View: Move Editor into Right Group');
    await goesOn('the second monitor', await monitorOf(workbench, 2), true);
    await goesOn('the first monitor beside it', await monitorOf(workbench, 1), true);

    await workbench.run('File: New Untitled Text File');
    await gone(workbench, 2);
    await goesOn('the first monitor while the second is hidden', await monitorOf(workbench, 1), true);
    await workbench.tab(/and 1 more/).click();
    await catchesUp(run, await monitorOf(workbench, 2));
    await goesOn('the first monitor beside the second shown again', await monitorOf(workbench, 1));

    await workbench.tab(/and 1 more/).click();
    await workbench.run('View: Close Editor');
    await gone(workbench, 2);
    await goesOn('the first monitor after the second was closed', await monitorOf(workbench, 1), true);

    await (await monitorOf(workbench, 1)).getByRole('button', { name: 'Checkpoint' }).click();
    await (await monitorOf(workbench, 1))
      .getByText(/The checkpoint of step \d+ is on the disk/)
      .first()
      .waitFor();
    await (await monitorOf(workbench, 1)).getByRole('button', { name: 'Stop', exact: true }).click();
    await untilRun(run, 'stopped', ({ state }) => state === 'stopped');
  },
);

/** The visible monitor that shows so many runs. */
function monitorOf(workbench: Workbench, runs: number): Promise<FrameLocator> {
  return until(`a monitor of ${runs} runs`, async () => (await monitors(workbench, runs))[0], 120);
}

async function gone(workbench: Workbench, runs: number): Promise<void> {
  await until(`no monitor of ${runs} runs`, async () => (await monitors(workbench, runs)).length === 0);
}

async function monitors({ page }: Workbench, runs: number): Promise<FrameLocator[]> {
  const found: FrameLocator[] = [];
  for (const frame of await page.locator('iframe.webview.ready:visible').all()) {
    const monitor = frame.contentFrame().frameLocator('#active-frame');
    if ((await monitor.locator('output.step').count()) === 0) continue;
    if (((await monitor.locator('[data-run]').count()) || 1) === runs) found.push(monitor);
  }
  return found;
}

async function shownStep(monitor: FrameLocator): Promise<number> {
  return Number((await monitor.locator('output.step').textContent())?.replaceAll(/\D/g, ''));
}

/** The cursor goes with the run. @param probed and so do the score fields, step by step */
async function goesOn(what: string, monitor: FrameLocator, probed = false): Promise<void> {
  const from = await shownStep(monitor);
  await until(`${what} to go on from step ${from}`, async () => (await shownStep(monitor)) >= from + 2, 180);
  if (!probed) return;
  const fields = async () => Number(await monitor.locator('.field-grid').getAttribute('data-step'));
  const shown = await fields();
  await until(`the probe of ${what} to go on from step ${shown}`, async () => (await fields()) > shown, 180);
}

/** It has every step that the run had recorded, and goes on. */
async function catchesUp(run: string, monitor: FrameLocator): Promise<void> {
  const recorded = curve(run, 'loss/matching').size;
  await until(`step ${recorded}`, async () => (await shownStep(monitor)) >= recorded, 120);
  await goesOn('a monitor that is shown again', monitor, true);
  assert.ok((await shownStep(monitor)) > recorded);
}
