/** A safetensors file in its page: what it shows is what is in the file, and a bad file is answered in words. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { writeSafetensors } from '../../backend/weights/safetensors.ts';
import { launchBrowser, noBrowser, type PanelPage } from './harness.ts';
import { type HostCode, HostPanel, hostServices } from './host-panel.ts';
import { BackendInProcess } from './monitor/backend.ts';
import type { ThemeName } from './themes.ts';
import { importWithVscode } from './vscode-stub.ts';

const skip = noBrowser;

interface Host extends HostCode {
  openSafetensors(panel: object, uri: object, services: object): void;
}

let browser: Browser;
let backend: BackendInProcess;
let host: Host;
let folder: string;
let file: string;
const image = Float32Array.from({ length: 3 * 12 * 16 }, (_, i) => Math.sin(i / 9));
const weight = Float32Array.from({ length: 8 * 5 }, (_, i) => (i === 7 ? Number.NaN : (i - 20) / 10));

if (!skip) {
  folder = await mkdtemp(join(tmpdir(), 'dmd-safetensors-'));
  file = join(folder, 'probe.safetensors');
  const entries = [
    ['picture', tensorData([1, 3, 12, 16], image)],
    ['net.linear.weight', tensorData([8, 5], weight)],
    ['net.none', tensorData([0], new Float32Array())],
  ] as const;
  await writeSafetensors(file, entries, { metadata: { step: '1200' } });
  backend = new BackendInProcess();
  [browser, host] = await Promise.all([
    launchBrowser(),
    importWithVscode<Host>('test/webview/safetensors/host-entry.ts'),
  ]);
}
after(async () => {
  await browser?.close();
  await backend?.end();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function withFile(path: string, work: (page: PanelPage) => Promise<void>, theme?: ThemeName): Promise<void> {
  const hosted = new HostPanel();
  host.openSafetensors(hosted.panel, { scheme: 'file', path, fsPath: path }, hostServices(host, backend));
  const shown = await hosted.open(browser, theme ? { theme } : {});
  try {
    await work(shown);
    assert.deepEqual(shown.problems, []);
  } finally {
    await hosted.close(shown);
  }
}

test('tensors are listed; the chosen one has its statistics, its NaN, its histogram and its picture', { skip }, () =>
  withFile(file, async ({ page }) => {
    const rows = page.getByRole('option');
    await rows.filter({ hasText: 'picture' }).filter({ hasText: 'F32 1 × 3 × 12 × 16' }).waitFor();
    await rows.filter({ hasText: 'net.linear.weight' }).click();
    await page.locator('[data-fact="nan"]', { hasText: /^1$/ }).waitFor();
    assert.equal(await page.locator('[data-fact="shape"]').textContent(), '8 × 5');
    assert.equal(await page.locator('[data-fact="max"]').textContent(), '1.9');
    await page.getByRole('img', { name: /^Histogram of 39 numbers from −2 to 1[.]9/ }).waitFor();
    await page.locator('canvas.heatmap').waitFor();
    await page.getByText('Metadata').click();
    await page.getByText('1200').waitFor();
    // The keyboard chooses the next one.
    await page.getByRole('listbox').press('End');
    await page.getByText('net.none has no numbers.').waitFor();
    await page.getByRole('textbox', { name: 'Filter tensors by name' }).fill('net lin');
    assert.equal(await rows.count(), 1);
    if (process.env.DMD_TEST_PICTURES) {
      await page.getByRole('textbox', { name: 'Filter tensors by name' }).fill('');
      await rows.filter({ hasText: 'picture' }).click();
      await page.getByRole('img', { name: /^Histogram of 576/ }).waitFor();
      await page.screenshot({ path: join(process.env.DMD_TEST_PICTURES, 'safetensors.png') });
    }
  }),
);

test('a file that is cut off says so, and is read again once it is whole', { skip }, async () => {
  const damaged = join(folder, 'damaged.safetensors');
  const entries = [['a', tensorData([4], Float32Array.of(1, 2, 3, 4))]] as const;
  await writeSafetensors(damaged, entries);
  await truncate(damaged, 70);
  await withFile(damaged, async ({ page }) => {
    await page
      .getByRole('alert')
      .filter({ hasText: /damaged[.]safetensors.*cut off/ })
      .waitFor();
    await writeSafetensors(damaged, entries);
    await page.locator('.tool-button', { hasText: 'Read Again' }).click();
    await page.locator('[data-fact="mean"]', { hasText: '2.5' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
  });
});
