/** The monitor's page with a recorded run: what it shows is what the run folder holds, whatever is done to it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Browser, Locator } from 'playwright-core';
import {
  commandRun,
  followRun,
  type Interests,
  openRun,
  runLive,
  runRemoved,
  unfollowRun,
} from '../../backend/protocol/rpc/index.ts';
import { randomBelow } from '../random.ts';
import { launchBrowser, noBrowser, until } from './harness.ts';
import { BackendInProcess } from './monitor/backend.ts';
import { answerCurves } from './monitor/curves.ts';
import { hostCode, type MonitorOptions, type OpenMonitor, openMonitor } from './monitor/open.ts';
import { iterations, levels, type RecordedRun, recordRun } from './monitor/run.ts';

const skip = noBrowser;
let browser: Browser;
let run: RecordedRun;

if (!skip) {
  [browser, run] = await Promise.all([launchBrowser(), recordRun()]);
}
after(async () => {
  await browser?.close();
  await Promise.all(backends.map((backend) => backend.end()));
});

const backends: BackendInProcess[] = [];

function newBackend(): BackendInProcess {
  const backend = new BackendInProcess();
  backends.push(backend);
  return backend;
}

async function withMonitor(
  work: (monitor: OpenMonitor, backend: BackendInProcess) => Promise<void>,
  { backend = newBackend(), ...options }: Partial<MonitorOptions> = {},
): Promise<void> {
  const monitor = await openMonitor({ browser, backend, folders: [run.folder], height: 1400, ...options });
  try {
    await work(monitor, backend);
    assert.deepEqual(monitor.problems, [], 'nothing went wrong in the page, and its policy refused nothing');
  } finally {
    await monitor.close();
  }
}

const parts = ({ page }: OpenMonitor) => ({
  chart: page.locator('section[data-chart="loss/matching"]'),
  step: page.locator('output.step'),
  grid: page.locator('.field-grid'),
  samples: page.locator('img.samples'),
  cell: (field: string, column: number) => page.locator(`.cell[data-field="${field}"][data-column="${column}"]`),
});

/** Waits until a text is what it should be. */
async function untilText(locator: Locator, text: string): Promise<void> {
  await locator.filter({ hasText: new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) }).waitFor();
}

async function clickStep(chart: Locator, step: number, last = iterations): Promise<void> {
  const area = chart.locator('.u-over');
  const box = (await area.boundingBox())!;
  await area.click({ position: { x: Math.min(box.width - 1, (step / last) * box.width), y: box.height / 2 } });
}

/** The number as the page writes it. */
function shown(value: number, digits: number): string {
  const size = Math.abs(value);
  const text =
    size < 1e-4 ? value.toExponential(digits - 1).replace(/\.?0+e/, 'e') : `${Number(value.toPrecision(digits))}`;
  return text.replaceAll('-', '−');
}

async function hover(cell: Locator, x: number, y: number): Promise<string> {
  const canvas = cell.locator('canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox())!;
  await canvas.hover({ position: { x: ((x + 0.5) / 8) * box.width, y: ((y + 0.5) / 8) * box.height } });
  return (await cell.locator('.value').textContent())!;
}

test('curves, cursor and heatmaps have the numbers of the run folder', { skip }, () =>
  withMonitor(async (monitor) => {
    const { chart, step, grid, samples, cell } = parts(monitor);
    const losses = run.curve('loss/matching');
    for (const [at, sampled] of [
      [4, 0],
      [8, 5],
      [12, 12],
    ] as const) {
      await chart.waitFor();
      await clickStep(chart, at);
      await untilText(step, String(at));
      await untilText(chart.locator('.series .number'), shown(losses.get(at)!, 4));
      await monitor.page.locator(`.field-grid[data-step="${at}"]`).waitFor();
      await monitor.page.locator(`img.samples[data-step="${sampled}"]`).waitFor();
      assert.match(
        (await monitor.page.locator('.samples-view .caption').textContent())!,
        new RegExp(`step ${sampled}$`),
      );
      const [x, y] = [randomBelow(8), randomBelow(8)];
      for (const level of levels.keys()) {
        const mean = (name: string) =>
          [0, 1, 2].reduce((sum, channel) => sum + run.probe(at, name, [level, 0, channel, y, x]), 0) / 3;
        assert.equal(await hover(cell('grad', level), x, y), shown(mean('grad'), 3), `grad at ${at}, pixel ${x}, ${y}`);
        const difference = [0, 1, 2].map((channel) => {
          const [real, fake] = ['muReal', 'muFake'].map((name) => run.probe(at, name, [level, 0, channel, y, x]));
          return Math.fround(real! - fake!);
        });
        const expected = difference.reduce((sum, value) => sum + value, 0) / 3;
        assert.equal(await hover(cell('difference', level), x, y), shown(expected, 3), `difference at ${at}`);
      }
    }
    await monitor.page.selectOption('.fields-view .bar select >> nth=1', '1');
    await grid.locator('.value').first().waitFor();
    assert.equal(
      await hover(cell('muFake', 1), 6, 3),
      shown(run.probe(12, 'muFake', [1, 0, 1, 3, 6]), 3),
      'one channel',
    );
    assert.equal(await samples.getAttribute('alt'), 'samples of step 12');
  }),
);

test('keys go through every step, and with Shift through every recorded one', { skip }, () =>
  withMonitor(async (monitor) => {
    const { chart, step } = parts(monitor);
    const { keyboard } = monitor.page;
    await chart.waitFor();
    await untilText(step, '12');
    const visit = async (key: string, count: number) => {
      const steps: number[] = [];
      for (let i = 0; i < count; i++) {
        const old = (await step.textContent())!;
        await keyboard.press(key);
        await step.filter({ hasNotText: new RegExp(`^${old}$`) }).waitFor();
        steps.push(Number(await step.textContent()));
      }
      return steps;
    };
    assert.deepEqual(await visit('ArrowLeft', 3), [11, 10, 9]);
    assert.deepEqual(await visit('Shift+ArrowLeft', 4), [8, 5, 4, 0]);
    assert.deepEqual(await visit('ArrowRight', 2), [1, 2]);
    assert.deepEqual(await visit('Shift+ArrowRight', 5), [4, 5, 8, 10, 12]);
    assert.deepEqual(await visit('Home', 1), [0]);
    // Each is on the screen for a moment only.
    await monitor.page.evaluate(`{
      const note = () => fieldsSeen.add(document.querySelector('.field-grid')?.dataset.step);
      globalThis.fieldsSeen = new Set();
      new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributeFilter: ['data-step'] });
    }`);
    await keyboard.press(' ');
    await untilText(step, '12');
    await monitor.page.locator('.field-grid[data-step="12"]').waitFor();
    const seen = (await monitor.page.evaluate('[...fieldsSeen]')) as string[];
    for (const recorded of ['4', '8', '12']) assert.ok(seen.includes(recorded), `played ${seen}`);
    assert.deepEqual(await visit('Home', 1), [0]);
    assert.deepEqual(await visit('End', 1), [12]);
  }),
);

test('arrow keys in the score fields read their values', { skip }, () =>
  withMonitor(async (monitor) => {
    const { grid, cell } = parts(monitor);
    await monitor.page.locator('.field-grid[data-step="12"]').waitFor();
    await grid.focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await monitor.page.keyboard.press(key);
    await grid.locator('.readout', { hasText: 'pixel (6, 5)' }).waitFor();
    const mean = [0, 1, 2].reduce((sum, channel) => sum + run.probe(12, 'xt', [0, 0, channel, 5, 6]), 0) / 3;
    assert.equal(await cell('xt', 0).locator('.value').textContent(), shown(mean, 3));
    const sigma = shown(run.probe(12, 'sigma', [1]), 3);
    const spoken = (await grid.locator('[role=status]').textContent())!;
    assert.ok(spoken.includes(`mu_real − mu_fake, level ${levels[1]} · σ\u00a0${sigma}: `), spoken);
  }),
);

test('rows and numbers of the fields explain themselves, and charts name noise levels as fields do', { skip }, () =>
  withMonitor(async (monitor) => {
    const { page } = monitor;
    await page.locator('.field-grid[data-step="12"]').waitFor();
    const told = await page
      .locator('.field-grid .row-title, .field-grid .fact')
      .evaluateAll((all) => all.map((one) => one.getAttribute('title') ?? ''));
    assert.equal(new Set(told).size, 7, 'x_t, mu_real, mu_fake, their difference, grad, cos and ratio');
    assert.ok(told.every((title) => title.length > 20));
    assert.equal(await page.locator('.field-grid .colour-bar .meaning:visible').count(), 2);
    const heads = await page.locator('.field-grid .sigma').allTextContents();
    assert.equal(heads.length, levels.length);
    const chart = page.locator('section[data-chart="probe/cosine"]');
    await chart.scrollIntoViewIfNeeded();
    const names = chart.locator('.series-switch');
    await until(monitor.page, 'the same names', async () => (await names.allTextContents()).join() === heads.join());
  }),
);

test('a hidden page costs nothing, and comes back with cursor, zoom and what was missed', { skip }, () =>
  withMonitor(async (monitor, backend) => {
    const { chart, step } = parts(monitor);
    await chart.waitFor();
    await clickStep(chart, 8);
    await untilText(step, '8');
    await monitor.page.keyboard.press('+');
    await monitor.page.locator('button:not([disabled])', { hasText: 'All Steps' }).waitFor();
    await until(monitor.page, 'the zoom to be saved', () =>
      Boolean((monitor.state() as { zoom?: unknown } | undefined)?.zoom),
    );
    await monitor.hide();
    const methods = () => backend.asked.map(({ method }) => method);
    assert.equal(methods().filter((method) => method === unfollowRun.method).length, 1);
    const before = backend.asked.length;
    backend.tell(runLive, { id: followed(backend), event: scalars(13, { 'loss/matching': 5 }) });
    assert.equal(backend.asked.length, before, 'nothing is asked while nobody looks');
    const { tags } = await newBackend().request(openRun, { folder: run.folder });
    answerCurves(backend, tags, (tag) =>
      columns([...run.curve(tag), ...(tag === 'loss/matching' ? [[13, 5] as const] : [])]),
    );
    const again = await monitor.show();
    const now = parts(again);
    await now.chart.waitFor();
    await untilText(now.step, '8');
    assert.equal(await again.page.locator('.cursor-bar').getAttribute('data-mode'), 'pinned');
    await again.page.locator('button:not([disabled])', { hasText: 'All Steps' }).click();
    await clickStep(now.chart, 13, 13);
    await untilText(now.chart.locator('.series .number'), '5');
    assert.ok(methods().lastIndexOf(followRun.method) > methods().lastIndexOf(unfollowRun.method));
    await again.close();
  }),
);

function columns(points: readonly (readonly [number, number])[]) {
  const steps = Float64Array.from(points, ([step]) => step);
  return { steps, values: Float64Array.from(points, ([, value]) => value), times: steps.slice() };
}

/** Under which id the page's run was followed last. */
function followed(backend: BackendInProcess): string {
  const asked = backend.asked.findLast(({ method }) => method === followRun.method)!;
  return (asked.params as { id: string }).id;
}

function scalars(step: number, values: Record<string, number>) {
  return { type: 'scalars' as const, points: [{ step, time: step, scalars: values }] };
}

/** The recorded run, as if it were still at work. */
function running(backend: BackendInProcess): BackendInProcess {
  const real = newBackend();
  backend.answer(openRun, async (params) => {
    const overview = await real.request(openRun, params);
    const process = { pid: 1, reachable: true };
    return { ...overview, record: { ...overview.record, state: 'running' as const, iterations: 100, process } };
  });
  backend.answer(followRun, () => null);
  backend.answer(unfollowRun, () => null);
  return backend;
}

test('live, every step is shown, its probe too, and a NaN as a NaN', { skip }, () =>
  withMonitor(
    async (monitor, backend) => {
      const { chart, step, cell } = parts(monitor);
      await chart.waitFor();
      await untilText(step, '12');
      const probes = () =>
        backend.asked.filter(
          ({ method, params }) => method === followRun.method && (params as { wants: Interests }).wants.probe,
        );
      await until(monitor.page, 'the probe to be followed', () => probes().length > 0);
      const id = followed(backend);
      backend.tell(runLive, { id: 'of another panel', event: scalars(14, { 'loss/matching': 99 }) });
      backend.tell(runLive, { id, event: scalars(13, { 'loss/matching': 2.5 }) });
      await untilText(step, '13');
      await untilText(chart.locator('.series .number'), '2.5');
      const shape = [1, 1, 3, 8, 8];
      const data = new Float32Array(192).fill(0.25);
      data.set(
        [Number.NaN, Number.NaN, Number.NaN].map((_, i) => (i === 0 ? Number.NaN : 0.25)),
        0,
      );
      const tensors = [
        { name: 'x', shape: [1, 3, 8, 8], data: new Float32Array(192) },
        { name: 'sigma', shape: [1], data: Float32Array.of(0.7) },
        { name: 'grad', shape, data },
      ];
      backend.tell(runLive, {
        id,
        event: { type: 'probe', fields: { kind: 'probe', step: 13, tensors, metadata: {} } },
      });
      await monitor.page.locator('.field-grid[data-step="13"]').waitFor();
      assert.match((await monitor.page.locator('.fields-view .caption').textContent())!, /step 13, live$/);
      assert.equal(await hover(cell('grad', 0), 0, 0), 'NaN');
      assert.equal(await hover(cell('grad', 0), 1, 0), '0.25');
      assert.match((await cell('grad', 0).locator('canvas').getAttribute('aria-label'))!, /1 NaN or infinite/);
      backend.tell(runLive, { id, event: scalars(14, { 'loss/matching': Number.NaN }) });
      await untilText(chart.locator('.series .number'), 'NaN');
    },
    { backend: running(newBackend()) },
  ),
);

test('NaN and infinities are marked at the edges of the chart', { skip }, () => {
  const backend = newBackend();
  const odd = new Map([
    [3, Number.NaN],
    [6, Number.POSITIVE_INFINITY],
    [9, Number.NEGATIVE_INFINITY],
  ]);
  answerCurves(backend, ['loss/matching'], (tag) =>
    columns([...run.curve(tag)].map(([step, value]) => [step, odd.get(step) ?? value])),
  );
  return withMonitor(
    async (monitor) => {
      const { chart } = parts(monitor);
      await chart.waitFor();
      // Red pixels by column, in the upper and the lower quarter of the plot.
      const marks = `(() => {
        const canvas = document.querySelector('section[data-chart="loss/matching"] canvas');
        const over = document.querySelector('section[data-chart="loss/matching"] .u-over');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const [left, top, width, height] = [over.offsetLeft, over.offsetTop, over.clientWidth, over.clientHeight];
        const found = { top: new Set(), bottom: new Set() };
        for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) {
          const [r, g, b] = data.subarray((y * canvas.width + x) * 4);
          if (r < 200 || g > 110 || b > 110) continue;
          const part = (y - top) / height;
          const step = Math.round(((x - left) / width) * ${iterations});
          if (part < 0.15) found.top.add(step);
          if (part > 0.85) found.bottom.add(step);
        }
        return JSON.stringify([[...found.top], [...found.bottom]].map((steps) => steps.sort((a, b) => a - b)));
      })()`;
      let seen = '';
      for (let frame = 0; frame < 200 && seen !== '[[6],[3,9]]'; frame++) {
        seen = (await monitor.page.evaluate(`new Promise(requestAnimationFrame).then(() => ${marks})`)) as string;
      }
      assert.equal(seen, '[[6],[3,9]]');
      await monitor.page.locator('[role=img][aria-label*="3 values are NaN or infinite"]').first().waitFor();
    },
    { backend },
  );
});

test('the colours have one scale at every step, and the person can fix it', { skip }, () =>
  withMonitor(async (monitor) => {
    const { page } = monitor;
    const input = page.locator('.colour-bar[data-field="grad"] input');
    await page.locator('.field-grid[data-step="12"]').waitFor();
    await page.keyboard.press('Home');
    await page.locator('.field-grid[data-step="0"]').waitFor();
    const end = await input.inputValue();
    assert.ok(Number(end) > 0);
    // The recorded steps are 0, 4, 5, 8, 10, 12.
    for (const [presses, step] of [[1, 4] as const, [2, 8] as const, [2, 12] as const]) {
      for (let press = 0; press < presses; press++) await page.keyboard.press('Shift+ArrowRight');
      await page.locator(`.field-grid[data-step="${step}"]`).waitFor();
      assert.equal(await input.inputValue(), end, 'whichever steps were seen');
    }
    await input.fill('0.125');
    await input.press('Enter');
    await page.locator('.colour-bar[data-field="grad"] button[aria-pressed="true"]').waitFor();
    await page.keyboard.press('Home');
    await page.locator('.field-grid[data-step="0"]').waitFor();
    assert.equal(await input.inputValue(), '0.125');
    await page.locator('.colour-bar[data-field="grad"] button[aria-pressed="true"]').click();
    await page.locator('.colour-bar[data-field="grad"] button[aria-pressed="false"]').waitFor();
    assert.notEqual(await input.inputValue(), '0.125');
  }),
);

test('what a run does not have is said, and what goes wrong too', { skip }, async () => {
  const backend = newBackend();
  const real = newBackend();
  backend.answer(openRun, async (params) => {
    const overview = await real.request(openRun, params);
    const work = { label: 'pairs', done: 40, total: 1000, unit: 'pairs' };
    const record = {
      ...overview.record,
      kind: 'teach-text-encoder' as const,
      state: 'running' as const,
      step: 0,
      work,
    };
    const none = { training: [], probe: [], stop: [] };
    return { ...overview, record, tags: [], samples: [], fields: none, warnings: ['events.1: damaged at byte 7'] };
  });
  await withMonitor(
    async ({ page }) => {
      await page.getByText('The run is getting ready.').waitFor();
      await page.getByText('pairs: 40 of 1,000').waitFor();
      await page.getByText('A run that teaches has no score fields').waitFor();
      await page.getByText('A text encoder makes no pictures.').waitFor();
      await page.getByText('events.1: damaged at byte 7').waitFor();
      backend.tell(runRemoved, { folder: run.folder });
      await page.getByText('The folder of this run was deleted.').waitFor();
    },
    { backend },
  );
  const broken = newBackend();
  const { UserError } = await hostCode(); // the host knows its own
  broken.answer(openRun, () => {
    throw new UserError('data', 'run.json is damaged', 'Look into it.');
  });
  await withMonitor(
    async ({ page }) => {
      await page.getByText('run.json is damaged. Look into it.').waitFor();
      // Tried in vain, it keeps the focus for the next try.
      const opened = () => broken.asked.filter(({ method }) => method === openRun.method).length;
      const before = opened();
      const again = page.getByText('Try Again');
      await again.focus();
      await page.keyboard.press('Enter');
      await until(page, 'another try', () => opened() > before);
      await page.evaluate('new Promise((done) => setTimeout(done, 50))');
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'Try Again');
      const real = newBackend();
      broken.answer(openRun, (params) => real.request(openRun, params));
      await again.click();
      await page.locator('.chart').first().waitFor();
    },
    { backend: broken },
  );
});

test('a run is commanded from its header; in a folder that is not trusted nothing is', { skip }, async () => {
  const backend = running(newBackend());
  let saved = (_: { step: number; path: string }) => {};
  backend.answer(
    commandRun,
    () =>
      new Promise((resolve) => {
        saved = resolve;
      }),
  );
  await withMonitor(
    async ({ page }) => {
      await page.getByRole('button', { name: 'Checkpoint' }).click();
      const commands = () =>
        backend.asked.filter(({ method }) => method === commandRun.method).map(({ params }) => params);
      await until(page, 'the command', () => commands().length > 0);
      assert.deepEqual(commands(), [{ folder: run.folder, command: 'checkpoint' }]);
      await page.locator('.tool-button[disabled]', { hasText: 'Checkpoint' }).waitFor();
      assert.equal(await page.locator('.tool-button[disabled]', { hasText: 'Stop' }).count(), 0, 'which never waits');
      saved({ step: 1234, path: '/somewhere' });
      await page.getByText('The checkpoint of step 1,234 is on the disk.').first().waitFor();
      const { vscode } = await hostCode();
      vscode.workspace.isTrusted = false;
      try {
        await page.getByRole('button', { name: 'Stop', exact: true }).click();
        await page.getByText('nothing runs in a folder that is not trusted').first().waitFor();
        assert.equal(commands().length, 1);
      } finally {
        vscode.workspace.isTrusted = true;
      }
    },
    { backend },
  );
});

test('pictures of a chart and of the fields are saved as PNG where the person says', { skip }, () =>
  withMonitor(async ({ page }) => {
    const { vscode } = await hostCode();
    const written: Uint8Array[] = [];
    vscode.answers.set('window.showSaveDialog', () => ({ fsPath: '/somewhere.png' }));
    vscode.answers.set('workspace.fs.writeFile', (_: unknown, bytes: Uint8Array) => void written.push(bytes));
    await page.locator('.field-grid[data-step="12"]').waitFor();
    await page.locator('section[data-chart="loss/matching"] [aria-label^="Save as PNG"]').click();
    await until(page, 'the chart', () => written.length === 1);
    await page.locator('.fields-view [aria-label="Save as PNG"]').click();
    await until(page, 'the fields', () => written.length === 2);
    for (const bytes of written) {
      assert.deepEqual([...bytes.subarray(1, 4)], [...Buffer.from('PNG')]);
      assert.ok(bytes.length > 1000);
    }
  }),
);

test('runs are laid over each other, one after another in focus, with what their configs differ in', {
  skip,
}, async () => {
  const other = await recordRun('other', { seed: 99 });
  await withMonitor(
    async ({ page }) => {
      await page.locator('section[data-chart="loss/matching"] .series').nth(1).waitFor();
      await page.getByText(/The configs differ in/).click();
      await page.locator('.differences tr', { hasText: 'seed' }).getByText('99').waitFor();
      assert.equal(await page.locator('.run.focused').getAttribute('data-run'), run.folder);
      await page.locator(`[data-run="${other.folder}"] .name`).click();
      await page.locator(`.run.focused[data-run="${other.folder}"]`).waitFor();
      await page.locator(`tr[data-run="${run.folder}"] input`).uncheck();
      await page.locator('section[data-chart="loss/matching"]').waitFor();
      const curves = page.locator('section[data-chart="loss/matching"] .series');
      await until(page, 'one curve', async () => (await curves.count()) === 1);
      await page.locator(`[data-run="${run.folder}"] button`).last().click();
      await page.locator('.run-list').waitFor({ state: 'hidden' });
    },
    { folders: [run.folder, other.folder] },
  );
});

test('switches that look alike are told apart by their names', { skip }, () =>
  withMonitor(async ({ page }) => {
    const { logScale } = (await hostCode()).monitorTexts();
    await page.locator('section[data-chart="loss/matching"]').waitFor();
    const names = await page
      .locator('section.chart button', { hasText: 'log' })
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
    assert.ok(names.length > 1);
    assert.deepEqual([...new Set(names)], names);
    for (const name of names) assert.ok(name.startsWith(`${logScale}: `), name);
  }),
);

test('a page that is brought back after a reload shows the same runs', { skip }, async () => {
  let state: unknown;
  await withMonitor(async (monitor) => {
    await parts(monitor).chart.waitFor();
    await clickStep(parts(monitor).chart, 4);
    const saved = () => (monitor.state() as { cursor?: { step: number } } | undefined)?.cursor?.step;
    await until(monitor.page, 'the cursor to be saved', () => saved() === 4);
    state = monitor.state();
  });
  await withMonitor(
    async (monitor) => {
      await parts(monitor).chart.waitFor();
      await untilText(parts(monitor).step, '4');
    },
    { state, folders: [] },
  );
});

test('the score inspector opens on the sample that is clicked, and on a column of the probe', { skip }, async () => {
  const { vscode } = await hostCode();
  const asked = () =>
    vscode.calls.flatMap(([name, [command, choice]]) =>
      name === 'commands.executeCommand' && command === 'dmd.inspectScores' ? [choice] : [],
    );
  await withMonitor(async (monitor) => {
    const { samples, grid } = parts(monitor);
    await samples.waitFor();
    const box = (await samples.boundingBox())!;
    // Four samples, two a row: the lower left one is the third.
    await samples.click({ position: { x: box.width * 0.2, y: box.height * 0.8 } });
    await until(monitor.page, 'the first', () => asked().length === 1);
    const step = Number(await samples.getAttribute('data-step'));
    assert.deepEqual(asked()[0], {
      folder: run.folder,
      state: step,
      sample: { kind: 'samples', index: 2 },
      condition: null,
    });
    await grid
      .getByRole('button', { name: /Inspect Scores Here: level/ })
      .nth(1)
      .click();
    await until(monitor.page, 'the second', () => asked().length === 2);
    const { sample, level } = asked()[1] as { sample: object; level: { by: string; value: number } };
    assert.deepEqual(sample, { kind: 'probe', index: 0 });
    const sigma = run.probe(Number(await grid.getAttribute('data-step')), 'sigma', [1]);
    assert.ok(level.by === 'sigma' && Math.abs(level.value - sigma) < 1e-5 * sigma);
  });
});
