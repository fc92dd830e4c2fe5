/** The value page: what it shows are the numbers that the program holds, of the slice that is looked at. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { randomBelow } from '../random.ts';
import { Inspected } from '../unit/values/inspected.ts';
import { launchBrowser, noBrowser } from './harness.ts';
import type { ThemeName } from './themes.ts';
import { type OpenValue, openValue, type ValueOptions } from './value/open.ts';

const skip = noBrowser;
const program = new Inspected();
let browser: Browser;

const shape = [3, 3, 20, 30] as const;
/** A number that says where it is. */
const at = (n: number, c: number, y: number, x: number) =>
  (n + 1) * Math.sin(0.3 * x + c) * Math.cos(0.2 * y) + 0.01 * n;

if (!skip) {
  browser = await launchBrowser();
  await program.run(`
    var at = ${at};
    var make = (shift) => {
      const data = new Float32Array(${shape.join(' * ')});
      let i = 0;
      for (let n = 0; n < 3; n++) for (let c = 0; c < 3; c++) for (let y = 0; y < 20; y++) for (let x = 0; x < 30; x++)
        data[i++] = at(n, c, y, x + shift);
      return { dims: ${JSON.stringify(shape)}, data };
    };
    var real = make(0), fake = make(2), other = { dims: [2, 2], data: Float32Array.of(1, NaN, Infinity, 0) };
    var line = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i / 5));
    var bytes = { width: 4, height: 4, data: new Uint8ClampedArray(64).fill(200) };
  `);
}
after(async () => {
  program.dispose();
  await browser?.close();
});

async function withPage(options: Partial<ValueOptions>, work: (page: OpenValue) => Promise<void>): Promise<void> {
  const opened = await openValue(browser, { expression: 'real', debuggee: program.debuggee(), ...options });
  try {
    await work(opened);
    assert.deepEqual(opened.problems, []);
  } finally {
    await opened.close();
  }
}

const fact = ({ page }: OpenValue, id: string, row = 0) =>
  page.locator('table.facts tbody tr').nth(row).locator(`[data-fact="${id}"]`);

/** The value that is said of a number, and what it should be. */
async function hover({ page }: OpenValue, y: number, x: number): Promise<string> {
  const canvas = page.locator('canvas.heatmap');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox())!;
  await canvas.hover({ position: { x: ((x + 0.5) / 30) * box.width, y: ((y + 0.5) / 20) * box.height } });
  const value = page.locator('.heatmap-card .value');
  await value.filter({ hasText: /\d/ }).waitFor();
  return (await value.textContent())!;
}

const shown = (value: number) => String(Number(value.toPrecision(3))).replaceAll('-', '−');

async function waitForText(page: OpenValue, selector: string, text: RegExp): Promise<void> {
  await page.page.locator(selector).filter({ hasText: text }).first().waitFor();
}

test('the slice that is looked at is fetched, and its numbers stand under the pointer', { skip }, async () => {
  await withPage({}, async (page) => {
    await waitForText(page, '[data-fact="shape"]', /^3 × 3 × 20 × 30$/);
    assert.equal(await fact(page, 'nan').textContent(), '0');
    assert.deepEqual(page.asked, [
      { expression: 'real', seen: false, counted: true },
      { expression: 'real', seen: true, counted: false },
    ]);
    await page.page.getByLabel('Channels').selectOption('1');
    const [y, x] = [randomBelow(20), randomBelow(30)];
    assert.equal(await hover(page, y, x), shown(Math.fround(at(0, 1, y, x))));
    await page.page.getByLabel('Index on axis 0').fill('2');
    await waitForText(page, '.axis output', /^2$/);
    await page.page.locator('.where', { hasText: /^Stopped/ }).waitFor();
    assert.equal(await hover(page, y, x), shown(Math.fround(at(2, 1, y, x))));
    // Rows and columns are exchanged: the same place is another number.
    await page.page.locator('[data-axis="2"] select').selectOption('columns');
    await page.page.locator('.where', { hasText: /^Stopped/ }).waitFor();
    const [width, height] = await page.page
      .locator('canvas.heatmap')
      .evaluate((canvas: unknown) => (canvas as { style: { aspectRatio: string } }).style.aspectRatio.split(' / '));
    assert.deepEqual([width, height], ['20', '30']);
    assert.equal(page.asked.filter(({ counted }) => counted).length, 1, 'the whole was counted once');
  });
});

test('two values are a signed difference with their facts, and it follows the program', { skip }, async () => {
  await withPage({}, async (page) => {
    await waitForText(page, '[data-fact="shape"]', /^3 × 3/);
    await page.page.getByLabel('Minus').fill('fake');
    await page.page.keyboard.press('Enter');
    await waitForText(page, 'tr.difference th', /difference/);
    await page.page.getByLabel('Channels').selectOption('2');
    const expected = (n: number) => shown(Math.fround(at(n, 2, 7, 9)) - Math.fround(at(n, 2, 7, 11)));
    assert.equal(await hover(page, 7, 9), expected(0));
    const before = Number(await page.page.locator('canvas.heatmap').getAttribute('data-end'));
    assert.ok(before > 0);
    for (let stop = 0; stop < 3; stop++) {
      await program.run(`real = make(${stop + 3})`);
      await page.stopped(null);
      await waitForText(page, '.where', /No program is stopped.*As of/);
      await page.stopped({ where: `train.py:${50 + stop} (step)`, session: 'Python' });
      await waitForText(page, '.where', new RegExp(`^Stopped at train.py:${50 + stop} \\(step\\)$`));
      const value = Math.fround(at(0, 2, 7, 9 + stop + 3)) - Math.fround(at(0, 2, 7, 11));
      assert.equal(await hover(page, 7, 9), shown(value));
    }
    await program.run('real = make(0)');
    await page.page.getByLabel('Follow').uncheck();
    const asked = page.asked.length;
    await page.stopped({ where: 'train.py:99 (step)', session: 'Python' });
    await waitForText(page, '.where', /Stopped at train.py:99 \(step\) As of train.py:52/);
    assert.equal(page.asked.length, asked, 'nothing was asked');
  });
});

test('what cannot be shown is said, and what was shown stays', { skip }, async () => {
  let state: unknown;
  await withPage({ expression: 'missing' }, async (page) => {
    await waitForText(page, '.failure', /`missing` cannot be evaluated here: ReferenceError/);
    const show = async (expression: string, minus = '') => {
      await page.page.getByLabel('Value', { exact: true }).fill(expression);
      await page.page.getByLabel('Minus').fill(minus);
      await page.page.keyboard.press('Enter');
    };
    await show('other');
    await waitForText(page, '[data-fact="shape"]', /^2 × 2$/);
    assert.ok(await page.page.locator('.failure').isHidden());
    for (const [id, text] of [
      ['nan', '1'],
      ['above', '1'],
      ['below', '0'],
      ['zero', '1'],
      ['max', '1'],
    ] as const) {
      assert.equal(await fact(page, id).textContent(), text, id);
    }
    await show('other', 'real');
    await waitForText(page, '.failure', /other has the shape 2 × 2 and real the shape 3 × 3 × 20 × 30/);
    await show('Math');
    await waitForText(page, '.failure', /no array of numbers/);
    await waitForText(page, '[data-fact="shape"]', /^2 × 2$/);
    assert.deepEqual(page.titles.slice(-1), ['Math']);
    await show('line');
    await waitForText(page, '[data-fact="shape"]', /^64$/);
    const box = (await page.page.locator('canvas.heatmap').boundingBox())!;
    assert.ok(box.height >= 100, 'a row alone is high enough to be seen');
    await page.page.getByLabel('As shape').fill('8, 8');
    await page.page.keyboard.press('Enter');
    await waitForText(page, '[data-fact="shape"]', /^8 × 8$/);
    await show('real');
    await waitForText(page, '.failure', /does not have that shape/);
    await show('bytes');
    await waitForText(page, '[data-fact="shape"]', /^8 × 8$/);
    await page.page.getByLabel('As shape').fill('');
    await page.page.keyboard.press('Enter');
    await waitForText(page, '[data-fact="shape"]', /^4 × 4 × 4$/);
    assert.equal(await page.page.getByLabel('Colours', { exact: true }).inputValue(), 'byte');
    await show('real');
    await waitForText(page, '[data-fact="shape"]', /^3 × 3/);
    state = page.state();
  });
  // Thrown away and brought back: it shows what it showed.
  await withPage({ expression: '', state }, async (page) => {
    await waitForText(page, '[data-fact="shape"]', /^3 × 3/);
    assert.deepEqual(page.titles, ['real']);
  });
});

const themes: readonly ThemeName[] = ['dark', 'light', 'high-contrast', 'high-contrast-light'];
test('pictures of the page in every kind of theme', { skip }, async () => {
  const folder = process.env.DMD_TEST_PICTURES ?? 'test-results/pictures';
  mkdirSync(folder, { recursive: true });
  for (const theme of themes) {
    const state = {
      ...{ expression: 'real', minus: 'fake', shape: null, roles: null, at: [1], kind: null },
      ...{ channels: 'together', end: null, follow: true },
    };
    await withPage({ theme, height: 860, state }, async (page) => {
      await waitForText(page, 'tr.difference th', /difference/);
      await hover(page, 7, 9);
      await page.page.screenshot({ path: `${folder}/value-${theme}.png` });
    });
  }
});
