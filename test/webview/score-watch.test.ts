/** The score watch's page: the inspector's pictures of a program's own values, and the last stops. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { ScoreWatch } from '../../extension/values/score-watch.ts';
import { Inspected } from '../unit/values/inspected.ts';
import { launchBrowser, noBrowser } from './harness.ts';
import type { ThemeName } from './themes.ts';
import { type OpenWatch, openWatch } from './value/watch.ts';

const skip = noBrowser;
const program = new Inspected();
let browser: Browser;

if (!skip) {
  browser = await launchBrowser();
  await program.run(`
    var image = (value) => {
      const data = new Float32Array(2 * 3 * 16 * 16);
      for (let i = 0; i < data.length; i++) {
        const [x, y, c, n] = [i % 16, (i >> 4) % 16, Math.floor(i / 256) % 3, Math.floor(i / 768)];
        data[i] = value(Math.hypot(x - 8, y - 7) < 5 ? 1 : 0, c, n, x, y);
      }
      return { dims: [2, 3, 16, 16], data };
    };
    var x, x_t, mu_real, mu_fake, sigma = new Float32Array([0.5, 2]);
    var step = (n) => {
      x = image((inside, c) => inside * (0.9 - 0.3 * c) - 0.4);
      x_t = image((inside, c, s, i, j) => inside * (0.9 - 0.3 * c) - 0.4 + 0.5 * Math.sin(i * 7 + j * 13 + c));
      mu_real = image((inside, c, s, i, j) => inside * (0.8 - 0.2 * c) - 0.3 + 0.05 * n * Math.sin(i / 3));
      mu_fake = image((inside, c, s, i, j) => inside * 0.7 - 0.35 + 0.05 * Math.cos(j / 3));
    };
    step(0);
  `);
}
after(async () => {
  program.dispose();
  await browser?.close();
});

async function withWatch(
  look: { readonly theme?: ThemeName; readonly height?: number },
  work: (page: OpenWatch, watch: ScoreWatch) => Promise<void>,
): Promise<void> {
  const watch = new ScoreWatch({ get: () => null, set: () => {} });
  const opened = await openWatch(browser, watch, program.debuggee(), look);
  try {
    await work(opened, watch);
    assert.deepEqual(opened.problems, []);
  } finally {
    await opened.close();
  }
}

const at = (line: number) => ({ where: `train.js:${line} (step)`, session: 'Node' });

test('every stop is in the strip, the last is shown, and an earlier one when it is chosen', { skip }, async () => {
  await withWatch({}, async ({ page, stopped }, watch) => {
    await page.getByText('Set a breakpoint where your program has computed both predictions').waitFor();
    for (const n of [1, 2, 3]) {
      await program.run(`step(${n})`);
      await stopped(at(40 + n));
      await page
        .locator('.stop')
        .nth(n - 1)
        .waitFor();
    }
    const shown = await page
      .locator('.heatmap-card')
      .evaluateAll((all: unknown) =>
        (all as { getAttribute(name: string): string }[]).map((card) => card.getAttribute('data-field')),
      );
    assert.deepEqual(shown, ['x', 'xt', 'muReal', 'muFake', 'difference', 'grad']);
    await page.locator('.score-set h3', { hasText: 'train.js:43 (step), sample 0' }).waitFor();
    await page.locator('.stop').first().click();
    await page.locator('.score-set h3', { hasText: 'train.js:41 (step), sample 0' }).waitFor();

    // Both noise levels, as numbers per sample: the scores are there too, of the sample.
    await page.locator('.stop').last().click();
    await page.getByLabel('alpha').fill('1');
    await page.getByLabel('sigma').fill('sigma');
    await page.getByLabel('sigma').press('Enter');
    await page.locator('[data-field="scoreReal"]').waitFor();
    await page.getByLabel('Sample').fill('1');
    await page.getByLabel('Sample').press('Tab');
    await page.locator('[data-fact="sigma"] b', { hasText: /^2$/ }).waitFor();
    assert.equal(await page.locator('.stop').count(), 3, 'the same stop in the place of what was read of it before');

    await page.getByLabel('mu_fake, fake prediction').fill('nobody');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('.problems', { hasText: 'nobody is not defined' }).waitFor();
    assert.equal(await page.locator('[data-field="muReal"]').count(), 1, 'what there is stays');
    await page.getByLabel('Names of').selectOption({ label: 'DMD2, Stable Diffusion' });
    assert.equal(await page.getByLabel('mu_real, real prediction').inputValue(), 'pred_real_image');
    assert.equal(watch.settings.expressions.xt, 'noisy_latents');
    await page.getByRole('button', { name: 'Forget' }).click();
    await page.locator('.empty').waitFor();
    assert.equal(watch.stops.length, 0);
  });
});

const themes: readonly ThemeName[] = ['dark', 'light', 'high-contrast', 'high-contrast-light'];
test('pictures of the page in every kind of theme', { skip }, async () => {
  const folder = 'test-results/pictures';
  mkdirSync(folder, { recursive: true });
  for (const theme of themes) {
    await withWatch({ theme, height: 900 }, async ({ page, stopped }) => {
      for (const n of [1, 2]) {
        await program.run(`step(${n})`);
        await stopped(at(40 + n));
      }
      await page.locator('.stop').nth(1).waitFor();
      await page.screenshot({ path: `${folder}/score-watch-${theme}.png` });
    });
  }
});
