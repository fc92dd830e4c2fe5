/** The score inspector in the editor: from a run in the tree to the fields that the run recorded, and back after a reload. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { levels, recordRun } from '../webview/monitor/run.ts';
import { editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';

editorTest('the inspector shows what the run recorded, also after a reload', { newestOnly: true }, async (context) => {
  const { server, workbench } = context;
  const run = await recordRun('first-run');
  const folder = join(server.workspace, 'runs', 'first-run');
  cpSync(run.folder, folder, { recursive: true });

  await workbench.openViews();
  await workbench.chooseFromMenu(workbench.row('Runs', 'first-run'), 'Inspect Scores');
  const inspector = workbench.webview();
  await answered(inspector);

  await inspector.getByLabel('Image', { exact: true }).selectOption('probe');
  await inspector.getByLabel('Type a noise level as sigma.').fill(String(run.probe(12, 'sigma', [1])));
  await inspector.getByLabel('Type a noise level as sigma.').press('Enter');
  const cosine = run.probe(12, 'cosine', [1, 0]);
  await showsCosine(inspector, cosine);
  assert.equal(levels.length, 2);
  assert.equal(await inspector.locator('.strip canvas').count(), 16 * 5);

  await workbench.reloadInOrder();
  const again = workbench.webview();
  await answered(again);
  await showsCosine(again, cosine);
  assert.equal(await again.getByLabel('Image', { exact: true }).inputValue(), 'probe');
});

function answered(inspector: FrameLocator): Promise<void> {
  return inspector.locator('main[data-step="12"][aria-busy="false"]').waitFor({ timeout: 240_000 });
}

async function showsCosine(inspector: FrameLocator, wanted: number): Promise<void> {
  await until('the cosine that was recorded', async () => {
    const text = (await inspector.locator('[data-fact="cosine"] b').first().textContent()) ?? '';
    return Math.abs(Number(text.replace('−', '-')) - wanted) < 2e-3;
  });
}
