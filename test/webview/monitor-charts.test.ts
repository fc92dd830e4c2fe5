/** The monitor's charts and its table of runs: long runs, many runs, and how they are looked at. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { dmd2Tags } from '../../backend/methods/dmd2/tags.ts';
import { drawCurves, followRun, openRun, readValues, runChanged, runLive } from '../../backend/protocol/rpc/index.ts';
import { openEventWriter } from '../../backend/runs/events/writer.ts';
import { uniform } from '../random.ts';
import { scratch } from '../unit/training/tiny.ts';
import { launchBrowser, noBrowser, until } from './harness.ts';
import { BackendInProcess } from './monitor/backend.ts';
import { longRuns, sixteenTags } from './monitor/long-runs.ts';
import { type MonitorOptions, type OpenMonitor, openMonitor } from './monitor/open.ts';

const skip = noBrowser;
let browser: Browser;

if (!skip) browser = await launchBrowser();
after(() => browser?.close());

async function withRuns(
  options: Partial<MonitorOptions> & { backend: BackendInProcess; folders: readonly string[] },
  work: (monitor: OpenMonitor, page: Page) => Promise<void>,
): Promise<void> {
  const monitor = await openMonitor({ browser, width: 1280, height: 900, ...options });
  try {
    await monitor.page.locator('.chart .series .number').first().waitFor();
    await work(monitor, monitor.page);
    assert.deepEqual(monitor.problems, [], 'nothing went wrong in the page');
  } finally {
    await monitor.close();
    await options.backend.end();
  }
}

async function pointAt(page: Page, chart: string, part: number): Promise<void> {
  const area = page.locator(`section[data-chart="${chart}"] .u-over`);
  await until(page, 'the chart to be there', async () => {
    const box = await area.boundingBox();
    if (box) await page.mouse.move(box.x + part * box.width, box.y + 3);
    return box !== null;
  });
}

const runs = (count: number) => Array.from({ length: count }, (_, i) => `/runs/long-${i}`);
const texts = (locator: Locator) => locator.allTextContents();
const short = { tags: ['loss/matching', 'loss/fake', 'residual/real', 'residual/fake', 'rate/generator'], points: 40 };

test('300,000 steps of sixteen curves come in five megabytes at most, and in detail where they are looked at', {
  skip,
}, async () => {
  const folders = runs(1);
  const backend = longRuns({ tags: sixteenTags, points: 300_000, state: 'finished' });
  await withRuns({ backend, folders }, async (monitor, page) => {
    const chart = page.locator('section[data-chart="loss/matching"]');
    await until(
      page,
      'all curves',
      () => backend.asked.filter(({ method }) => method === drawCurves.method).length >= 2,
    );
    await page.locator('output.step', { hasText: '300,000' }).waitFor();
    await page.locator('section[data-chart="residual"] .series .number', { hasText: /\d/ }).first().waitFor();
    assert.ok(monitor.sent() < 5e6, `${monitor.sent()} bytes`);
    // The last label is whole: as much of it is to the right of the last step as to the left.
    const ink = await page.evaluate<number[]>(`(() => {
      const canvas = document.querySelector('section[data-chart="loss/matching"] canvas');
      const over = document.querySelector('section[data-chart="loss/matching"] .u-over');
      const [end, below] = [over.offsetLeft + over.clientWidth, over.offsetTop + over.clientHeight + 2];
      const { data, width } = canvas.getContext('2d').getImageData(end - 40, below, 80, canvas.height - below);
      const columns = [...data.keys()].filter((i) => i % 4 === 3 && data[i] > 0).map((i) => ((i - 3) / 4) % width);
      return [40 - Math.min(...columns), Math.max(...columns) - 40];
    })()`);
    assert.ok(ink[0]! > 8 && ink[1]! > ink[0]! - 3, `${ink} pixels on either side of the last step`);
    // A number that has not come with the picture is asked for.
    await page.keyboard.press('ArrowLeft');
    await page.locator('output.step', { hasText: '299,999' }).waitFor();
    const tags = ['loss/matching'];
    const { values } = await backend.request(readValues, { folder: folders[0]!, tags, step: 299_999 });
    await until(page, 'the exact number', async () => {
      const text = (await chart.locator('.series .number').textContent())!;
      return Math.abs(Number(text) - values[0]!) < 1e-3;
    });
    await page.keyboard.press('Home');
    for (let press = 0; press < 12; press++) await page.keyboard.press('+');
    const near = () =>
      backend.asked.findLast(
        ({ method, params }) => method === drawCurves.method && (params as { range: unknown }).range,
      );
    await until(page, 'the detail to be asked for', () => near() !== undefined);
    assert.ok(monitor.sent() < 8e6, `${monitor.sent()} bytes`);
  });
});

test('two runs are told apart in charts of several curves, however many points they have', { skip }, async () => {
  const folders = runs(2);
  const backend = longRuns({ tags: short.tags, points: 5000, state: 'finished' });
  await withRuns({ backend, folders }, async (_, page) => {
    const chart = page.locator('section[data-chart="residual"]');
    await chart.locator('.series').nth(3).waitFor();
    const coloursOf = (folder: string) =>
      chart
        .locator(`[data-run-of="${folder}"] .swatch`)
        .evaluateAll((swatches) =>
          swatches.map((swatch) => swatch.getAttribute('style')!.match(/rgb[^)]*\)|#\w{6}/)![0]),
        );
    const [first, second] = [await coloursOf(folders[0]!), await coloursOf(folders[1]!)];
    assert.equal(new Set([...first, ...second]).size, 4, `${first} and ${second}`);
  });
});

test('with smoothing, both the value and the mean are told', { skip }, async () => {
  const folders = runs(1);
  const backend = longRuns({ ...short, points: 3000, state: 'finished' });
  await withRuns({ backend, folders }, async (_, page) => {
    const series = page.locator('section[data-chart="loss/matching"] .series');
    assert.equal(await series.locator('.mean').textContent(), '');
    await page.selectOption('.curves .bar select >> nth=0', '100');
    await pointAt(page, 'loss/matching', 0.5);
    await series.locator('.mean', { hasText: /^mean [01]\.\d+$/ }).waitFor();
    assert.match((await series.locator('.number').textContent())!, /^[01]\.\d+$/);
    assert.match((await series.locator('.best').textContent())!, /^best 0\.\d+ @[\d,]+$/);
    // The dot is on the line that is drawn, the mean: as far down as that is small.
    const dots: { mean: number; y: number }[] = [];
    const step = page.locator('output.step');
    for (const part of [0.1, 0.2, 0.35, 0.6, 0.7, 0.9]) {
      const before = await step.textContent();
      await pointAt(page, 'loss/matching', part);
      await until(page, 'the cursor to move', async () => (await step.textContent()) !== before);
      await page.evaluate('new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))');
      const seen = `(() => {
        const chart = document.querySelector('section[data-chart="loss/matching"]');
        const mean = Number(chart.querySelector('.mean').textContent.split(' ')[1]);
        return { mean, y: chart.querySelector('.cursor-dot').getBoundingClientRect().top };
      })()`;
      dots.push(await page.evaluate<{ mean: number; y: number }>(seen));
    }
    const [first, last] = [dots[0]!, dots.at(-1)!];
    for (const { mean, y } of dots) {
      const expected = first.y + ((mean - first.mean) / (last.mean - first.mean)) * (last.y - first.y);
      assert.ok(Math.abs(y - expected) < 1.5, `${JSON.stringify(dots)}: ${y} and not ${expected}`);
    }
  });
});

test('a checkpoint leaves a mark on the time axis, and so does the next one', { skip }, async () => {
  const folders = runs(1);
  const backend = longRuns({ ...short, points: 41, state: 'running', checkpoints: [11] });
  await withRuns({ backend, folders }, async (_, page) => {
    /** How much of the lowest three pixels around a step has the marks' colour. */
    const markAt = (step: number) =>
      page.evaluate<number>(`(() => {
        const chart = document.querySelector('section[data-chart="loss/matching"]');
        const [canvas, over] = [chart.querySelector('canvas'), chart.querySelector('.u-over')];
        const x = Math.round(over.offsetLeft + (${step - 1} / 40) * over.clientWidth);
        const { data } = canvas.getContext('2d').getImageData(x - 2, over.offsetTop + over.clientHeight - 3, 5, 3);
        const probe = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
        probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--vscode-descriptionForeground');
        probe.fillRect(0, 0, 1, 1);
        const colour = probe.getImageData(0, 0, 1, 1).data;
        const isMark = (_, i) => i % 4 === 0 && [0, 1, 2].every((c) => Math.abs(data[i + c] - colour[c]) < 12);
        return data.filter(isMark).length / 15;
      })()`);
    await until(page, 'the mark', async () => (await markAt(11)) > 0.5);
    assert.ok((await markAt(21)) < 0.2, 'no mark where there is none');
    await until(page, 'the mark of the next one', async () => {
      // The page may follow anew meanwhile; hearing of a checkpoint twice is hearing of it once.
      const { id } = backend.asked.findLast(({ method }) => method === followRun.method)!.params as { id: string };
      backend.tell(runLive, { id, event: { type: 'recorded', kind: 'checkpoint', step: 21, dropped: [11] } });
      return (await markAt(21)) > 0.5;
    });
    assert.ok((await markAt(11)) < 0.2, 'the one that made room is gone');
  });
});

test('rows of the table keep focus and clicks while their numbers change, and places while they are pointed at', {
  skip,
}, async () => {
  const folders = runs(3);
  const backend = longRuns({ ...short, state: 'running' });
  await withRuns({ backend, folders }, async (_, page) => {
    const row = page.locator(`tr[data-run="${folders[1]}"]`);
    const rename = async (folder: string, name: string) => {
      const { record } = await backend.request(openRun, { folder });
      backend.tell(runChanged, { ...record, name });
      await page.locator('tr.run .name', { hasText: name }).waitFor();
    };
    await row.locator('.name').focus();
    await page.evaluate('globalThis.held = document.activeElement');
    for (const name of ['renamed 41', 'renamed 42']) await rename(folders[1]!, name);
    assert.equal(await page.evaluate('held === document.activeElement && held.isConnected'), true, 'the focus');
    const pin = row.locator('.pin');
    await pin.hover();
    await page.mouse.down();
    await rename(folders[1]!, 'renamed 43');
    await page.mouse.up();
    await until(page, 'the click', async () => (await pin.getAttribute('aria-pressed')) === 'true');
    await pin.click();

    await page.locator('th[data-sort="name"] button').click();
    const names = () => texts(page.locator('tr.run .name'));
    await until(page, 'the order', async () => (await names()).join() === 'long-0,long-2,renamed 43');
    await row.hover();
    await rename(folders[0]!, 'z');
    assert.deepEqual(await names(), ['z', 'long-2', 'renamed 43'], 'nothing moves from under the pointer');
    await page.locator('h1').hover();
    await until(page, 'the order', async () => (await names()).join() === 'long-2,renamed 43,z');
  });
});

test('many runs: sorted, filtered, pinned, hidden, pointed at; one legend for all charts', { skip }, async () => {
  const folders = runs(50);
  const backend = longRuns({ ...short, state: 'finished' });
  await withRuns({ backend, folders, height: 700, width: 1000 }, async (_, page) => {
    const names = () => texts(page.locator('tr.run .name'));
    await until(page, 'all rows', async () => (await names()).length === 50);
    const losses = async () =>
      (await texts(page.locator('tr.run td[data-column="loss/matching"]'))).map((text) => Number(text));
    await until(page, 'their losses', async () => (await losses()).every(Number.isFinite));
    assert.ok((await page.locator('nav.runs').boundingBox())!.height < 320, 'they take a part of the page only');
    const chart = page.locator('section[data-chart="loss/matching"]');
    assert.ok((await chart.locator('.series').count()) <= 2, 'numbers of the run in focus');
    assert.ok((await page.locator('section[data-chart="residual"]').boundingBox())!.height < 260);

    const head = page.locator('th[data-sort="loss/matching"]');
    await head.getByRole('button').click();
    await until(page, 'the order', async () => {
      const sorted = await losses();
      return sorted.every((loss, i) => i === 0 || loss >= sorted[i - 1]!);
    });
    assert.equal(await head.getAttribute('aria-sort'), 'ascending');
    assert.match(
      (await page.locator('tr.run').first().locator('td.best[data-column="loss/matching"]').getAttribute('title'))!,
      /best/,
    );

    await page.locator('.run-tools input').fill('long-4');
    await until(page, 'the filter', async () => (await names()).length === 11);
    await page.locator('tr[data-run="/runs/long-44"]').hover();
    await chart.locator('[data-run-of="/runs/long-44"]').waitFor();
    await page.locator('tr[data-run="/runs/long-44"] .pin').click();
    await page.locator('.run-tools input').fill('long-1');
    await until(
      page,
      'the pinned one and those found',
      async () => (await names())[0] === 'long-44' && (await names()).length === 12,
    );
    await page.locator('tr[data-run="/runs/long-44"] input').uncheck();
    await page.getByRole('button', { name: 'Show All' }).click();
    await page.locator('tr[data-run="/runs/long-44"] input:checked').waitFor();
  });
});

test('a chart is found by its name, in a folded group too', { skip }, async () => {
  const folders = runs(1);
  const backend = longRuns({ ...short, state: 'finished' });
  await withRuns({ backend, folders }, async (_, page) => {
    const visible = page.locator('.chart:visible h3');
    assert.equal(await page.locator('section[data-chart="rate"]').isVisible(), false);
    await page.locator('input.find-chart').fill('learning');
    await page.locator('section[data-chart="rate"]:visible').waitFor();
    assert.deepEqual(await texts(visible), ['Learning rate']);
    await page.locator('input.find-chart').fill('nothing of the kind');
    await page.getByText('No chart has this in its name.').waitFor();
    await page.locator('input.find-chart').fill('');
    await page.locator('section[data-chart="loss/matching"]:visible').waitFor();
    assert.equal(await page.locator('section[data-chart="rate"]').isVisible(), false, 'folded again');
  });
});

test('what a run of a later method records has a name in words; of several averages the best is marked', {
  skip,
}, async () => {
  const rates = ['rate/generator', 'rate/fake', 'rate/discriminator'];
  const measured = ['fd', 'right'].flatMap((name) => [0.9, 0.99, 0.999].map((ema) => `quality/${name} of ema ${ema}`));
  const consistency = ['loss/consistency', 'target/decay', 'probe/path/17', 'probe/path/1'];
  const tags = [...short.tags, ...rates, ...measured, ...consistency, ...Object.values(dmd2Tags)];
  const backend = longRuns({ tags, points: 40, state: 'finished' });
  await withRuns({ backend, folders: runs(1) }, async (_, page) => {
    await page.locator('input.find-chart').fill('a');
    await page.locator('section[data-chart="gan/logit"]').waitFor({ state: 'attached' });
    const names = await texts(page.locator('.chart h3, .chart .legend > *'));
    assert.ok(names.length > 10, `${names.length}`);
    assert.deepEqual(
      names.filter((name) => tags.some((tag) => name.includes(tag))),
      [],
    );
    for (const [chart, best] of [
      ['quality/fd', Math.min],
      ['quality/right', Math.max],
    ] as const) {
      const values = async (which: string) => {
        const found = await texts(page.locator(`section[data-chart="${chart}"] .series ${which}`));
        return found.map((text) => Number(/^best (\S+) /.exec(text)?.[1]));
      };
      await until(page, 'the bests', async () => (await values('.best')).filter(Number.isFinite).length === 3);
      assert.deepEqual(await values('.best.first'), [best(...(await values('.best')))], chart);
    }
  });
});

test('over time instead of steps, the cursor is where the run was then', { skip }, async () => {
  const folders = runs(2);
  const backend = longRuns({ ...short, points: 400, state: 'finished' });
  await withRuns({ backend, folders }, async (_, page) => {
    await page.selectOption('.curves .bar select >> nth=1', 'relative');
    // Two steps a second, as evenly as a clock: half of the time is half of the steps.
    await until(page, 'the step', async () => {
      await pointAt(page, 'loss/matching', 0.5);
      const step = Number(await page.locator('output.step').textContent());
      return step > 190 && step < 210;
    });
    await page.selectOption('.curves .bar select >> nth=1', 'clock');
    await page.locator('.chart .series .number', { hasText: /\d/ }).first().waitFor();
  });
});

test('how charts were looked at is how the next monitor begins', { skip }, async () => {
  const memory = new Map<string, unknown>();
  const folders = runs(1);
  const backend = longRuns({ ...short, state: 'finished' });
  await withRuns({ backend, folders, memory }, async (_, page) => {
    await page.selectOption('.curves .bar select >> nth=0', '50');
    await page.locator('section[data-chart="loss/fake"] .tools button').first().click();
    await until(page, 'it to be kept', () => JSON.stringify([...memory.values()]).includes('loss/fake'));
  });
  const others = ['/runs/another'];
  const another = longRuns({ ...short, state: 'finished' });
  await withRuns({ backend: another, folders: others, memory }, async (_, page) => {
    assert.equal(await page.locator('.curves .bar select').first().inputValue(), '50');
    await page.locator('section[data-chart="loss/fake"] .tools button[aria-pressed="true"]').waitFor();
  });
});

test('histograms of another program are the last group of charts', { skip }, async () => {
  const folder = path.join(scratch(), 'other');
  fs.mkdirSync(folder);
  const events = openEventWriter(folder);
  for (let step = 0; step <= 40; step += 10) {
    const values = [-1 - step, ...Array.from({ length: 300 }, () => uniform() - 0.5), 1 + step];
    // NaN is no number in what crosses as text.
    events.add(step, {
      scalars: { 'loss/generator': step === 40 ? Number.NaN : uniform() },
      histograms: { 'layer/weights': values },
    });
  }
  events.close();
  await withRuns({ backend: new BackendInProcess(), folders: [folder] }, async (_, page) => {
    const card = page.locator('section[data-chart="histogram layer/weights"]');
    await card.scrollIntoViewIfNeeded();
    await card.getByText('step 40: least −41, mean').waitFor();
    const painted = (await page.evaluate(`(() => {
      const canvas = document.querySelector('.histogram canvas');
      const { data } = canvas.getContext('2d').getImageData(60, 0, canvas.width - 80, canvas.height);
      return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    })()`)) as number;
    assert.ok(painted > 500, `${painted} pixels`);
    await page.keyboard.press('Home');
    await card.getByText('step 0: least −1, mean').waitFor();
  });
});
