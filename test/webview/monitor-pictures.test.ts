/** The monitor's pictures: they stay in view, keep one scale, can be compared, and can be reached without a pointer. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import {
  decodeLatents,
  readFields as fieldsRequest,
  followRun,
  openRun,
  runLive,
  unfollowRun,
} from '../../backend/protocol/rpc/index.ts';
import { readFields, recordFields } from '../../backend/runs/fields/fields.ts';
import { rangesOf } from '../../backend/runs/fields/ranges.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';
import { RunSubject } from '../../backend/runs/inspect/run-subject.ts';
import { randomBelow } from '../random.ts';
import { distillConfig, runHere, scratch } from '../unit/training/tiny.ts';
import { launchBrowser, noBrowser, until } from './harness.ts';
import { BackendInProcess } from './monitor/backend.ts';
import { hostCode, type MonitorOptions, type OpenMonitor, openMonitor } from './monitor/open.ts';
import { levels, type RecordedRun, recordRun } from './monitor/run.ts';

const skip = noBrowser;
let browser: Browser;
let run: RecordedRun;
const backends: BackendInProcess[] = [];

if (!skip) {
  [browser, run] = await Promise.all([launchBrowser(), recordRun()]);
}
after(async () => {
  await browser?.close();
  await Promise.all(backends.map((backend) => backend.end()));
});

function newBackend(): BackendInProcess {
  const backend = new BackendInProcess();
  backends.push(backend);
  return backend;
}

async function withMonitor(
  work: (page: Page, monitor: OpenMonitor, backend: BackendInProcess) => Promise<void>,
  { backend = newBackend(), ...options }: Partial<MonitorOptions> = {},
): Promise<void> {
  const monitor = await openMonitor({ browser, backend, folders: [run.folder], ...options });
  try {
    await work(monitor.page, monitor, backend);
    assert.deepEqual(monitor.problems, [], 'nothing went wrong in the page, and its policy refused nothing');
  } finally {
    await monitor.close();
  }
}

const fieldsAt = (page: Page, step: number) => page.locator(`.field-grid[data-step="${step}"]`).waitFor();

/** The number as the page writes it. */
function shown(value: number, digits = 3): string {
  const size = Math.abs(value);
  const text =
    size < 1e-4 ? value.toExponential(digits - 1).replace(/\.?0+e/, 'e') : `${Number(value.toPrecision(digits))}`;
  return text.replaceAll('-', '−');
}

test('a wild step does not blacken the rest: it goes beyond the scale, says so, and can be fitted', {
  skip,
}, async () => {
  const wild = await recordRun('wild');
  const { fields } = runPaths(wild.folder);
  const { tensors } = readFields(fields, 'probe', 8);
  const grad = tensors.get('grad')!;
  recordFields(
    fields,
    'probe',
    8,
    new Map([...tensors, ['grad', { ...grad, data: grad.data.map((value) => 1000 * value) }]]),
  );
  const quantile = (step: number) => rangesOf('probe', readFields(fields, 'probe', step).tensors).grad!.quantile;
  const expected = shown(Math.max(...[0, 4, 12].map(quantile)));
  await withMonitor(
    async (page) => {
      const bar = page.locator('.colour-bar[data-field="grad"]');
      const end = bar.locator('input');
      await fieldsAt(page, 12);
      await until(page, 'the scale of all steps', async () => (await end.inputValue()) === expected);
      await page.keyboard.press('Shift+ArrowLeft');
      await page.keyboard.press('Shift+ArrowLeft');
      await fieldsAt(page, 8);
      await bar.locator('.beyond', { hasText: shown(quantile(8)) }).waitFor();
      assert.equal(await end.inputValue(), expected, 'having seen it changes nothing');
      await bar.getByRole('button', { name: /^Fit the scale to this step/ }).click();
      await until(page, 'the fitted scale', async () => (await end.inputValue()) === shown(quantile(8)));
      await bar.locator('button[aria-pressed="true"]').waitFor();
      await bar.locator('.beyond').waitFor({ state: 'hidden' });
      // It is kept for other steps and runs.
      await page.keyboard.press('Home');
      await fieldsAt(page, 0);
      assert.equal(await end.inputValue(), shown(quantile(8)));
      await page.locator(`[data-run="${run.folder}"] .name`).click();
      await page.locator(`.run.focused[data-run="${run.folder}"]`).waitFor();
      await until(page, 'the same scale', async () => (await end.inputValue()) === shown(quantile(8)));
    },
    { folders: [wild.folder, run.folder], height: 1400 },
  );
});

test('thumbnails of a run that works keep focus and clicks', { skip }, async () => {
  const backend = newBackend();
  const real = newBackend();
  backend.answer(openRun, async (params) => {
    const overview = await real.request(openRun, params);
    const record = {
      ...overview.record,
      state: 'running' as const,
      iterations: 100,
      process: { pid: 1, reachable: true },
    };
    return { ...overview, record };
  });
  backend.answer(followRun, () => null);
  backend.answer(unfollowRun, () => null);
  await withMonitor(
    async (page, _, { asked }) => {
      await fieldsAt(page, 12);
      const second = page.locator('button.thumb').nth(1);
      await second.focus();
      await page.evaluate('globalThis.held = document.activeElement');
      const { id } = asked.findLast(({ method }) => method === followRun.method)!.params as { id: string };
      const data = () => new Float32Array(3 * 192).fill(0.25);
      const tensors = [
        { name: 'x', shape: [3, 3, 8, 8], data: data() },
        { name: 'sigma', shape: [1], data: Float32Array.of(0.7) },
        { name: 'grad', shape: [1, 3, 3, 8, 8], data: data() },
      ];
      const points = [{ step: 13, time: 13, scalars: { 'loss/matching': 2.5 } }];
      backend.tell(runLive, { id, event: { type: 'scalars', points } });
      backend.tell(runLive, {
        id,
        event: { type: 'probe', fields: { kind: 'probe', step: 13, tensors, metadata: {} } },
      });
      await fieldsAt(page, 13);
      // Anything else that is looked at otherwise must not touch them either.
      await page.selectOption('.fields-view .bar select >> nth=1', '1');
      await second.focus();
      await page.evaluate('new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))');
      const box = (await second.boundingBox())!;
      await page.mouse.move(box.x + 10, box.y + 10);
      await page.mouse.down();
      await page.locator('.fields-view .bar input[type=checkbox]').evaluate('(box) => box.click()');
      await page.evaluate('new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))');
      await page.mouse.up();
      await until(page, 'the click to arrive', async () => (await second.getAttribute('aria-pressed')) === 'true');
      assert.equal(
        await page.evaluate('held === document.activeElement && held.isConnected'),
        true,
        'the focus stayed',
      );
    },
    { backend, height: 1400 },
  );
});

const inView = async (page: Page, what: Locator) => {
  const box = await what.boundingBox();
  const { width, height } = page.viewportSize()!;
  return box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 && box.y < height - 20;
};

test('at 1000 x 700 pictures stay in view beside the curves, with a divider that keys move', { skip }, () =>
  withMonitor(
    async (page, monitor) => {
      await fieldsAt(page, 12);
      const samples = page.locator('img.samples');
      assert.ok(await inView(page, samples));
      await page.locator('.curves').hover();
      await page.mouse.wheel(0, 4000);
      await until(
        page,
        'the curves to scroll',
        () => page.evaluate(`document.querySelector('.curves').scrollTop > 0`) as Promise<boolean>,
      );
      assert.ok(await inView(page, samples), 'while the curves scroll');
      assert.equal(await page.evaluate('document.scrollingElement.scrollTop'), 0);
      const divider = page.getByRole('separator', { name: /Divider/ });
      const width = async () => (await page.locator('.pictures').boundingBox())!.width;
      const before = await width();
      await divider.focus();
      const step = page.locator('output.step');
      const at = await step.textContent();
      for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
      assert.equal(await divider.getAttribute('aria-valuenow'), '40');
      assert.ok((await width()) > before + 80);
      assert.equal(await step.textContent(), at, 'its keys are not the cursor’s');
      await until(
        page,
        'the place to be kept',
        () => (monitor.state() as { pictures?: { split: number } } | undefined)?.pictures?.split === 40,
      );
      const box = (await divider.boundingBox())!;
      await page.mouse.move(box.x + 3, box.y + 100);
      await page.mouse.down();
      await page.mouse.move(600, box.y + 100, { steps: 3 });
      await page.mouse.up();
      assert.equal(await divider.getAttribute('aria-valuenow'), '60');
      await page.keyboard.press('Enter');
      assert.equal(await divider.getAttribute('aria-valuenow'), '50');
      const [scale, row] = await Promise.all(
        ['.colour-bar[data-field="grad"] .colours', '.cell[data-field="grad"]'].map((one) =>
          page.locator(one).first().boundingBox(),
        ),
      );
      assert.ok(Math.abs(scale!.y - row!.y) < 120, 'the scale stands with its row');
    },
    { width: 1000, height: 700 },
  ),
);

test('where there is no room, a strip under the cursor shows the pictures of its step', { skip }, () =>
  withMonitor(
    async (page) => {
      const strip = page.locator('.strip-bar[data-step="12"]');
      await strip.waitFor();
      await page.locator('section[data-chart]').last().scrollIntoViewIfNeeded();
      assert.ok(await inView(page, strip));
      assert.ok(await inView(page, page.locator('.cursor-bar')));
      assert.equal(await strip.locator('canvas').count(), 1 + levels.length);
      assert.ok((await page.locator('.strip-bar').boundingBox())!.height < 110);
      await page.keyboard.press('Home');
      await page.locator('.strip-bar[data-step="0"]').waitFor();
      await page.locator('.strip img[data-step="0"]').waitFor();
      // Nothing is cut at the side, once all is laid out.
      const fits = () => page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
      await until(page, 'nothing to be cut', fits);
      await page.locator('button.strip').click();
      assert.ok(await inView(page, page.locator('.modes')), 'it leads to the pictures');
    },
    { width: 500, height: 350 },
  ),
);

const card = (page: Page, set: number, field: string) =>
  page.locator('.score-set').nth(set).locator(`[data-field="${field}"]`);

test('two steps are compared: A, B and A - B at every level, on one scale', { skip }, () =>
  withMonitor(
    async (page) => {
      await fieldsAt(page, 12);
      await page.getByRole('button', { name: 'Compare', exact: true }).click();
      await card(page, 0, 'difference').waitFor();
      await page.selectOption('.compare-view .bar >> nth=1 >> select >> nth=0', 'muFake');
      await page.selectOption('[data-side="a step"]', '4');
      await page.locator('.compare-view .caption', { hasText: 'A: step 4 · B: step 12' }).waitFor();
      await until(page, 'a set per level', async () => (await page.locator('.score-set').count()) === levels.length);
      for (const level of levels.keys()) {
        const values = [0, 1, 2].flatMap((channel) =>
          Array.from({ length: 64 }, (_, at) => {
            const index = [level, 0, channel, Math.floor(at / 8), at % 8];
            return Math.fround(run.probe(4, 'muFake', index) - run.probe(12, 'muFake', index));
          }),
        );
        const text = (await card(page, level, 'difference').locator('.statistics').textContent())!;
        assert.ok(
          text.includes(`min ${shown(Math.min(...values))}`) && text.includes(`max ${shown(Math.max(...values))}`),
          text,
        );
        const title = await page.locator('.score-set h3').nth(level).textContent();
        assert.equal(title, `level ${levels[level]} · σ\u00a0${shown(run.probe(4, 'sigma', [level]))}`);
      }
      await page.selectOption('.compare-view .bar >> nth=1 >> select >> nth=0', 'grad');
      const end = (field: string) => card(page, 1, field).locator('canvas.heatmap').getAttribute('data-end');
      await until(page, 'signed fields', async () => (await end('a')) !== null);
      assert.equal(await end('a'), await end('b'));
      assert.equal(await end('a'), await end('difference'));
      // One zoom for all.
      await card(page, 0, 'a').locator('canvas.heatmap').hover();
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -400);
      await page.keyboard.up('Control');
      const { vscode } = await hostCode();
      const written: Uint8Array[] = [];
      vscode.answers.set('window.showSaveDialog', () => ({ fsPath: '/somewhere.png' }));
      vscode.answers.set('workspace.fs.writeFile', (_: unknown, bytes: Uint8Array) => void written.push(bytes));
      await page.locator('.compare-view [aria-label="Save as PNG"]').click();
      await until(page, 'the picture', () => written.length === 1);
      assert.ok(written[0]!.length > 1000);
    },
    { height: 1200 },
  ),
);

test('the samples of two runs are compared at the cursor', { skip }, async () => {
  const other = await recordRun('other', { seed: 12 + randomBelow(80) });
  await withMonitor(
    async (page) => {
      await fieldsAt(page, 12);
      await page.getByRole('button', { name: 'Compare', exact: true }).click();
      await page.getByRole('button', { name: 'Two Runs' }).click();
      await page
        .locator('.compare-view .caption', { hasText: /A: [\d-]+tiny, step 12 · B: [\d-]+other, step 12/ })
        .waitFor();
      const size = (field: string) => card(page, 0, field).locator('.statistics').textContent();
      assert.notEqual(await size('a'), await size('b'));
      assert.match((await size('difference'))!, /std 0\.\d*[1-9]/);
      await page.keyboard.press('Home');
      await page
        .locator('.compare-view .caption', { hasText: /A: [\d-]+tiny, step 0 · B: [\d-]+other, step 0/ })
        .waitFor();
    },
    { folders: [run.folder, other.folder] },
  );
});

test('steps by noise level: a row per recorded step, which moves the cursor there', { skip }, () =>
  withMonitor(
    async (page) => {
      await fieldsAt(page, 12);
      await page.getByRole('button', { name: 'Steps by Level' }).click();
      await until(
        page,
        'all steps',
        async () => (await page.locator('.step-grid .cell').count()) === 4 * levels.length,
      );
      const label = (await page.locator('.step-grid .cell canvas').nth(3).getAttribute('aria-label'))!;
      assert.ok(
        label.startsWith(
          `mu_real − mu_fake, step 4, level ${levels[1]} · σ\u00a0${shown(run.probe(4, 'sigma', [1]))}. `,
        ),
        label,
      );
      const pictures = await page.locator('.step-grid .cell canvas').all();
      const ends = await Promise.all(pictures.map((picture) => picture.getAttribute('data-end')));
      assert.ok(Number(ends[0]) > 0 && new Set(ends).size === 1, `one scale: ${ends}`);
      await page.getByRole('button', { name: '8', exact: true }).click();
      await page.locator('output.step', { hasText: /^8$/ }).waitFor();
      await page.locator('.row-head[data-step="8"][aria-current="step"]').waitFor();
    },
    { height: 1200 },
  ),
);

test('a text run reads as pictures: prompts under samples, and what latents decode to beside them', {
  skip,
}, async () => {
  const root = scratch();
  const prompts = path.join(root, 'prompts.txt');
  fs.writeFileSync(prompts, 'a red circle\ntwo blue stars\n');
  const config = distillConfig(fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url)), {
    ...{ iterations: 2, regression: { enabled: false }, text: { prompts } },
    record: { samplesEvery: 2, samples: 2, probeEvery: 2, probe: { count: 2, levels } },
  });
  const { folder, last } = await runHere({ config, root });
  assert.equal(last.type, 'ended', JSON.stringify(last));
  // As the inspecting thread answers, without a thread.
  const backend = newBackend();
  const subject = await RunSubject.open(folder);
  backend.answer(decodeLatents, async ({ latents }) => {
    const { shape, data } = await subject.decode(latents);
    return { name: 'x', shape: [...shape], data: data as Float32Array<ArrayBuffer> };
  });
  await withMonitor(
    async (page) => {
      await fieldsAt(page, 2);
      const captions = page.locator('.sample-cells figcaption');
      await captions.nth(1).waitFor();
      assert.deepEqual(await captions.allTextContents(), ['a red circle', 'two blue stars']);
      await page.locator('.cell[data-field="pictureReal"]').nth(1).waitFor();
      const latents = readFields(runPaths(folder).fields, 'probe', 2).tensors;
      const size = latents.get('x')!.data.length / 2;
      const { shape, data } = await subject.decode({
        shape: [1, ...latents.get('x')!.shape.slice(1)],
        data: latents.get('muFake')!.data.slice(2 * size, 3 * size),
      });
      const label = (await page
        .locator('.cell[data-field="pictureFake"][data-column="1"] canvas')
        .getAttribute('aria-label'))!;
      assert.ok(label.includes(`least ${shown(Math.min(...data))}`), `${label}, of ${shape}`);
      const second = page.locator('button.thumb').nth(1);
      await second.locator('canvas.decoded:visible').waitFor();
      await second.click();
      await page.locator('.images .prompt', { hasText: 'two blue stars' }).waitFor();
      await page.locator('.origin', { hasText: 'checkpoint of this step' }).waitFor();
      assert.match((await page.locator('.origin').textContent())!, new RegExp(`seed ${config.seed}, noise 1`));
    },
    { backend, folders: [folder], height: 1400 },
  );
  await subject.dispose();
});

test('points of the plane are numbers, not pictures of one pixel', { skip }, async () => {
  const backend = newBackend();
  const tensor = (name: string, shape: number[], ...data: number[]) => ({ name, shape, data: Float32Array.from(data) });
  backend.answer(fieldsRequest, ({ kind, step }) => ({
    ...{ kind, step, metadata: {} },
    tensors: [
      tensor('x', [1, 2, 1, 1], 0.5, -1.25),
      tensor('sigma', [2], 0.1, 3),
      tensor('muReal', [2, 1, 2, 1, 1], 0.25, -1, 2, 3),
      tensor('muFake', [2, 1, 2, 1, 1], 0.75, 1, 1, 1),
    ],
  }));
  await withMonitor(
    async (page) => {
      await page.locator('.point-table').waitFor();
      assert.equal(await page.locator('.field-grid').isVisible(), false);
      const row = page.locator('.point-table tr', { hasText: 'mu_real − mu_fake' });
      assert.deepEqual(await row.locator('td').allTextContents(), ['(−0.5, −2)', '(1, 2)']);
      assert.match((await page.locator('.fields-view').textContent())!, /points of the plane/);
    },
    { backend },
  );
});
