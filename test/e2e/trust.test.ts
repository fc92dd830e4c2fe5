/** A workspace that nobody has said they trust: what a run has recorded can be looked at, and nothing can be started. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { recordRun } from '../webview/monitor/run.ts';
import { editorTest } from './driver/editor-test.ts';

/** What such a workspace may want: its own program as the backend's Node, and runs from elsewhere. */
const settings = JSON.stringify({ 'dmd.nodePath': '/no/such/node', 'dmd.runFolders': ['elsewhere'] });

editorTest(
  'an untrusted workspace can be looked at, and starts nothing',
  { trusted: false, files: { '.vscode/settings.json': settings } },
  async ({ server, workbench }) => {
    const recorded = await recordRun('looked-at');
    cpSync(recorded.folder, join(server.workspace, 'runs', 'looked-at'), { recursive: true });

    await workbench.openViews();
    await workbench.row('Runs', 'looked-at').waitFor();
    await workbench.view('Runs').getByText('This workspace is not trusted').waitFor();
    await workbench.view('Models').getByText('Models are listed in trusted workspaces only').waitFor();
    await workbench.openPalette('DMD: ');
    await workbench.paletteRow('DMD: Open Monitor').waitFor();
    for (const title of ['DMD: Start the Built-in Run', 'DMD: Resume Run', 'DMD: Generate Image']) {
      assert.equal(await workbench.paletteRow(title).count(), 0, title);
    }
    await workbench.page.keyboard.press('Escape');

    await workbench.row('Runs', 'looked-at').click();
    const monitor = workbench.webview();
    const value = monitor.locator('section[data-chart="loss/matching"] .series .number');
    await value.filter({ hasText: /\d/ }).waitFor();
    const last = [...recorded.curve('loss/matching').values()].at(-1)!;
    const shown = Number((await value.textContent())?.trim().replaceAll('−', '-'));
    assert.ok(Math.abs(shown - last) <= 0.001 * Math.abs(last), `shown ${shown}, recorded ${last}`);
  },
);
