/** Heatmaps and score sets in a browser: the pixels are the numbers, for every choice of channels, scale and part. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { HeatmapTexts } from '../../backend/protocol/panels/heatmap-texts.ts';
import { tilesOf } from '../../webview/shared/heatmaps/raster.ts';
import { statistics } from '../../webview/shared/heatmaps/statistics.ts';
import { Viewport } from '../../webview/shared/heatmaps/viewport.ts';
import { randomBelow, uniform } from '../random.ts';
import { launchBrowser, noBrowser } from './harness.ts';
import { openViews } from './heatmaps/open.ts';
import { importWithVscode } from './vscode-stub.ts';

const skip = noBrowser;
let browser: Browser;
let texts: HeatmapTexts;

if (!skip) {
  const module = importWithVscode<{ scoreTexts(): HeatmapTexts }>('extension/panels/score-texts.ts');
  [browser, { scoreTexts: texts }] = await Promise.all([
    launchBrowser(),
    module.then(({ scoreTexts }) => ({ scoreTexts: scoreTexts() })),
  ]);
}
after(() => browser?.close());

async function withPage(work: (page: Page) => Promise<void>): Promise<void> {
  const page = await openViews(browser);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  try {
    await work(page);
    assert.deepEqual(problems, []);
  } finally {
    await page.close();
  }
}

/** Shows one heatmap of `width` x `height` CSS pixels; `pixelOf(x, y)` is a colour of its canvas, `wholeAt` one of all numbers. */
const oneHeatmap = (width: number, numbers: object, content: string) => `(() => {
  const { HeatmapGroup, HeatmapView } = views;
  const group = new HeatmapGroup();
  const view = new HeatmapView(group);
  view.canvas.style.width = '${width}px';
  document.querySelector('#root').replaceChildren(view.canvas);
  const { data, ...shape } = ${JSON.stringify(numbers)};
  const picture = { ...shape, data: Float32Array.from(data, (value) => value === null ? NaN : value) };
  const show = (content) => view.show({ picture, kind: 'signed', channels: 'together', end: 1, name: 'a', summary: '', ...content });
  show(${content});
  const at = (canvas, x, y) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data.slice(0, 3)];
  window.one = { group, view, show, wholeAt: (x, y) => at(view.whole, x, y), pixelAt: (x, y) => at(view.canvas, x, y) };
})()`;

const between = (low: number, high: number) => low + (high - low) * uniform();

const [black, white] = [
  [0, 0, 0],
  [255, 255, 255],
];

test('a signed field is blue below zero, orange above, and zero is the background', { skip }, async () => {
  await withPage(async (page) => {
    const picture = { channels: 1, width: 3, height: 1, data: [-1, 0, 1] };
    await page.evaluate(oneHeatmap(300, picture, '{}'));
    const colour = (x: number) => page.evaluate(`one.wholeAt(${x}, 0)`) as Promise<number[]>;
    const [below, zero, above] = [await colour(0), await colour(1), await colour(2)];
    assert.ok(below[2]! > below[0]!, `blue: ${below}`);
    assert.ok(above[0]! > above[2]!, `orange: ${above}`);
    assert.deepEqual(zero, [18, 18, 20]);
    // Drawn in blocks: the middle of each third is its number's colour.
    for (const [i, own] of [below, zero, above].entries()) {
      assert.deepEqual(await page.evaluate(`one.pixelAt(${50 + 100 * i}, 50)`), own);
    }
    // Another scale: half of the end has the colour that the end's half had, and zero stays zero.
    await page.evaluate(`one.show({ end: 4 })`);
    const faint = await colour(2);
    await page.evaluate(`one.view.content.picture.data[2] = 0.25; one.show({ end: 1 })`);
    assert.deepEqual(await colour(2), faint);
    assert.deepEqual(await colour(1), zero);
  });
});

test('three channels together are colours of an image; apart, and one by one, each is grey', { skip }, async () => {
  await withPage(async (page) => {
    const picture = { channels: 3, width: 2, height: 1, data: [1, -1, -1, 1, -1, 1] };
    const at = (x: number, y: number) => page.evaluate(`one.wholeAt(${x}, ${y})`);
    await page.evaluate(oneHeatmap(100, picture, `{ kind: 'image' }`));
    assert.deepEqual(
      [await at(0, 0), await at(1, 0)],
      [
        [255, 0, 0],
        [0, 255, 255],
      ],
    );
    await page.evaluate(`one.show({ kind: 'image', channels: 1 })`);
    assert.deepEqual([await at(0, 0), await at(1, 0)], [black, white]);
    await page.evaluate(`one.show({ kind: 'image', channels: 'apart' })`);
    // Two tiles a row: red and green above, blue below.
    assert.deepEqual([await at(0, 0), await at(1, 0), await at(2, 0), await at(3, 0)], [white, black, black, white]);
    assert.deepEqual([await at(0, 1), await at(1, 1)], [black, white]);
  });
});

test('what is not finite is magenta, crossed out and counted', { skip }, async () => {
  await withPage(async (page) => {
    const width = 4 + randomBelow(20);
    const height = 3 + randomBelow(20);
    const data: (number | null)[] = Array.from({ length: width * height }, () => between(-1, 1));
    const bad = randomBelow(data.length);
    data[bad] = null;
    await page.evaluate(oneHeatmap(width * 20, { channels: 1, width, height, data }, '{}'));
    const [x, y] = [bad % width, Math.floor(bad / width)];
    assert.deepEqual(await page.evaluate(`one.wholeAt(${x}, ${y})`), [255, 0, 200]);
    const middle = (await page.evaluate(`one.pixelAt(${x * 20 + 10}, ${y * 20 + 10})`)) as number[];
    assert.ok(Math.max(...middle) < 128, `the middle of a cross is dark: ${middle}`);
    for (const value of ['Infinity', '-Infinity']) {
      await page.evaluate(`one.view.content.picture.data[${bad}] = ${value}; one.show({})`);
      assert.deepEqual(await page.evaluate(`one.wholeAt(${x}, ${y})`), [255, 0, 200]);
    }
  });
});

test('pointer and zoom are those of all pictures of a group, whatever their sizes', { skip }, async () => {
  await withPage(async (page) => {
    const small = { channels: 1, width: 2, height: 2, data: [1, 2, 3, 4] };
    await page.evaluate(oneHeatmap(200, small, '{ end: 4 }'));
    await page.evaluate(`(() => {
      const other = new views.HeatmapView(one.group);
      other.canvas.style.width = '200px';
      document.querySelector('#root').append(other.canvas);
      const data = Float32Array.from({ length: 4 * 16 }, (_, i) => i);
      other.show({ picture: { channels: 4, width: 4, height: 4, data }, kind: 'signed', channels: 'apart', end: 64, name: 'b', summary: '' });
      one.other = other;
    })()`);
    const [first, second] = [page.locator('canvas').nth(0), page.locator('canvas').nth(1)];
    await first.hover({ position: { x: 150, y: 50 } });
    const both = () => page.evaluate(`[one.view.values(), one.other.values()]`);
    // Upper right of the small one; three quarters across and one quarter down in every channel of the other.
    assert.deepEqual(await both(), [[2], [7, 23, 39, 55]]);
    // In the last tile of the other: lower left.
    await second.hover({ position: { x: 110, y: 190 } });
    assert.deepEqual(await both(), [[3], [12, 28, 44, 60]]);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -2000);
    await page.keyboard.up('Control');
    const zoom = (await page.evaluate('one.group.viewport.zoom')) as number;
    assert.ok(zoom > 10, `zoomed to ${zoom}`);
    assert.deepEqual(await both(), [[3], [12, 28, 44, 60]], 'what is under the pointer stays there');
    await page.evaluate('new Promise(requestAnimationFrame)');
    // So close, one number fills the whole of the small picture.
    assert.deepEqual(await page.evaluate('one.pixelAt(5, 5)'), await page.evaluate('one.wholeAt(0, 1)'));
    await second.dblclick();
    assert.equal(await page.evaluate('one.group.viewport.zoom'), 1);
  });
});

test('a score set shows what follows from x, x_t and two predictions; keys read its values aloud', {
  skip,
}, async () => {
  await withPage(async (page) => {
    const data = (...values: number[]) => ({ channels: 1, width: 2, height: 1, data: values });
    const input = { x: data(0, 1), xt: data(2, 3), muReal: data(1, 1), muFake: data(0, 3) };
    await page.evaluate(`(() => {
      const texts = ${JSON.stringify(texts)};
      const numbers = Object.fromEntries(Object.entries(${JSON.stringify(input)}).map(([name, picture]) =>
        [name, { ...picture, data: Float32Array.from(picture.data) }]));
      window.looks = [];
      const view = new views.ScoreSetView({ texts, onLook: (look) => looks.push(look) });
      document.querySelector('#root').append(view.root);
      view.show([views.scoreSetOf(texts, { ...numbers, weight: null, alpha: 0.5, sigma: 2, title: 'the image' })]);
      window.shown = view;
    })()`);
    const card = (field: string) => page.locator(`.heatmap-card[data-field="${field}"]`);
    assert.equal(await page.locator('.score-set h3').textContent(), 'the image');
    const numbers = (field: string) =>
      page.evaluate(`[...shown.cards.get('0 ${field}').view.content.picture.data]`) as Promise<number[]>;
    assert.deepEqual(await numbers('scoreReal'), [-(2 - 0.5) / 4, -(3 - 0.5) / 4]);
    assert.deepEqual(await numbers('scoreFake'), [-2 / 4, -(3 - 1.5) / 4]);
    assert.deepEqual(await numbers('difference'), [1, -2]);
    // mean|x - mu_real| is 1/2.
    assert.deepEqual(await numbers('grad'), [-2, 4]);
    assert.equal(await page.locator('[data-fact="weight"] b').textContent(), '2');
    assert.equal(await page.locator('[data-fact="residualRatio"] b').textContent(), '0.5');
    await page.locator('.score-sets').focus();
    await page.keyboard.press('ArrowRight');
    assert.match((await page.locator('.spoken').textContent())!, /mu_real − mu_fake: −2, grad: 4/);
    assert.equal((await card('grad').locator('.value').textContent())!.trim(), '4');
    // One scale for all: the greatest of the signed ones, in every bar.
    await page.getByLabel('Scale', { exact: true }).selectOption('row');
    const ends = () => page.locator('canvas.heatmap[data-end]').evaluateAll((all) => all.map((one) => one.dataset.end));
    assert.deepEqual(await ends(), ['4', '4', '4', '4']);
    const end = card('difference').getByRole('textbox');
    await end.fill('8');
    await end.press('Enter');
    assert.deepEqual(await ends(), ['8', '8', '8', '8']);
    await page.getByLabel('Scale', { exact: true }).selectOption('each');
    assert.deepEqual(await ends(), ['0.625', '0.5', '2', '4']);
    await page.getByLabel('Images as').selectOption('numbers');
    assert.equal((await ends()).length, 8);
    assert.deepEqual(((await page.evaluate('looks.at(-1)')) as { ends: object }).ends, { row: 8 });
  });
});

test('statistics count what is not finite and leave it out of the sums', () => {
  const data = Array.from({ length: 50 + randomBelow(50) }, () => between(-3, 5));
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  const all = [...data, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN, Number.NEGATIVE_INFINITY];
  const found = statistics(all);
  assert.equal(found.count, all.length);
  assert.ok(Math.abs(found.mean - mean) < 1e-12 && Math.abs(found.std - Math.sqrt(variance)) < 1e-12);
  assert.deepEqual([found.min, found.max], [Math.min(...data), Math.max(...data)]);
  assert.deepEqual([found.nan, found.plusInfinity, found.minusInfinity, found.zero], [2, 1, 1, 0]);
  assert.equal(statistics([0, -0, 3]).zero, 2);
  assert.equal(statistics([0, -0, 3]).norm, 3);
  assert.ok(Number.isNaN(statistics([]).mean) && Number.isNaN(statistics([Number.NaN]).min));
});

test('a viewport stays within the picture and keeps the point that it zooms about', () => {
  const viewport = new Viewport();
  const [x, y] = [between(0, 1), between(0, 1)];
  const before = viewport.toPicture(x, y);
  viewport.zoomBy(between(1.5, 30), x, y);
  const after = viewport.toPicture(x, y);
  assert.ok(Math.abs(after.x - before.x) < 1e-12 && Math.abs(after.y - before.y) < 1e-12);
  viewport.panBy(between(-99, 99), between(-99, 99));
  const size = 1 / viewport.zoom;
  for (const at of [viewport.left, viewport.top]) assert.ok(at >= 0 && at + size <= 1 + 1e-12);
  viewport.show(x, y);
  assert.ok(viewport.left <= x && x <= viewport.left + size + 1e-12);
  viewport.zoomBy(1e-9);
  assert.deepEqual([viewport.zoom, viewport.left, viewport.top], [1, 0, 0]);
});

test('channels apart lie as near to a square as can be', () => {
  const shape = { width: 3, height: 2, data: new Float32Array() };
  const sizes = [1, 2, 3, 4, 5, 16].map((channels) => {
    const { columns, rows } = tilesOf({ channels, ...shape }, 'apart');
    return [columns, rows];
  });
  assert.deepEqual(sizes, [
    [1, 1],
    [2, 1],
    [2, 2],
    [2, 2],
    [3, 2],
    [4, 4],
  ]);
});
