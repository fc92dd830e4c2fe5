/** Runs that no button of this window started, in the Runs view and in the monitor: event files of PyTorch, and one that is not well. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { presetConfig } from '../../backend/runs/presets.ts';
import { runHere } from '../unit/training/tiny.ts';
import { editorTest } from './driver/editor-test.ts';
import { until } from './driver/until.ts';

const events = fileURLToPath(new URL('../golden/events/torch', import.meta.url));

editorTest(
  "event files of PyTorch's own writer open as a run; health says what is wrong with another",
  { newestOnly: true },
  async ({ server, workbench }) => {
    const { page } = workbench;
    const runs = join(server.workspace, 'runs');
    const show = async (name: string) => {
      await workbench.openViews();
      await workbench.row('Runs', name).waitFor();
      await workbench.run('DMD: Open Monitor');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).click();
      await page.keyboard.press('Enter');
      await workbench.tab(name).first().waitFor();
      return workbench.webview();
    };
    cpSync(events, join(runs, 'Nov29_torch'), { recursive: true });
    const torch = await show('Nov29_torch');
    const chart = torch.locator('section[data-chart="loss/fake"]');
    await chart.waitFor();
    await torch.locator('section[data-chart="loss/generator"]').waitFor();
    // summary_writer.py: loss/fake is 0.5 + 0.01 step, at every fifth step to 45.
    await until('the last value', async () => {
      const [, shown, step] =
        /^([\d.]+) @(\d+)$/.exec((await chart.locator('.series .number').textContent())!.trim()) ?? [];
      return Math.abs(Number(shown) - 0.95) < 1e-3 && step === '45';
    });
    await torch.locator('.samples-view .samples').first().waitFor();
    const foreign = torch.getByTestId('health');
    await foreign.locator('summary', { hasText: 'nothing is wrong by what is recorded' }).click();
    await foreign.getByText(/^Not recorded, so not judged: collapse, dead gradient, /).waitFor();

    // The real score alone (Figure 3a) brings every sample to one point.
    const set = ['name="collapsing"', 'iterations=400', 'batch=32', 'record.samplesEvery=0', 'record.probeEvery=0'];
    const config = presetConfig('distill', 'figure-3-real-only', '/');
    await runHere({ config, root: runs }, { set: [...set, 'checkpoint.every=0'] });
    const sick = await show('collapsing');
    const health = sick.getByTestId('health');
    await health.locator('summary', { hasText: /Health: \d alarms?|Health: 1 alarm/ }).waitFor();
    const words = await health.getByText(/The samples have collapsed: two of them differ by [\d.]+ %/).textContent();
    assert.match(words!, /Raise the regression's weight/, 'and says what to do');
  },
);
