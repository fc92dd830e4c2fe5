/** The playground's page with real runs behind it: what is pressed happens to the run, what the run has is shown, and it comes back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { commandRun, listPresets, readPlane } from '../../backend/protocol/rpc/index.ts';
import { listRuns, type RunSummary, readConfig, readRun } from '../../backend/runs/folder/run-folder.ts';
import { presets, presetText } from '../../backend/runs/presets.ts';
import { until } from '../e2e/driver/until.ts';
import { launchBrowser, noBrowser } from './harness.ts';
import { BackendInProcess } from './monitor/backend.ts';
import { type OpenPlayground, openPlayground, type PlaygroundOptions } from './playground/open.ts';
import { type ThemeName, themes } from './themes.ts';

const skip = noBrowser;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-playground-'));
const backends: BackendInProcess[] = [];
let browser: Browser;

if (!skip) browser = await launchBrowser();
after(async () => {
  for (const { paths, state } of listRuns(root)) {
    if (state !== 'running' && state !== 'paused') continue;
    await backends[0]!.request(commandRun, { folder: paths.folder, command: 'stop' }).catch(() => {});
  }
  await browser?.close();
  await Promise.all(backends.map((backend) => backend.end()));
  fs.rmSync(root, { recursive: true, force: true });
});

/** The preset with fewer iterations, which are as good for buttons. */
function newBackend(iterations = 40): BackendInProcess {
  const backend = new BackendInProcess();
  backends.push(backend);
  const text = (name: string) =>
    presetText('distill', name).replace('"iterations": 1500', `"iterations": ${iterations}`);
  backend.answer(listPresets, () =>
    presets
      .filter(({ name }) => name === 'figure-3')
      .map((preset) => ({ ...preset, teacher: null, text: text(preset.name) })),
  );
  return backend;
}

async function withPlayground(
  work: (playground: OpenPlayground, backend: BackendInProcess) => Promise<void>,
  options: Partial<PlaygroundOptions> = {},
): Promise<void> {
  const backend = options.backend ?? newBackend();
  const playground = await openPlayground({ browser, backend, root, ...options });
  try {
    await work(playground, backend);
    assert.deepEqual(playground.problems, [], 'nothing went wrong in the page, and its policy refused nothing');
  } finally {
    await playground.close();
  }
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const stepShown = async (page: Page) =>
  Number(/\d+/.exec((await page.getByTestId('step').textContent()) ?? '')?.[0] ?? -1);
const untilStep = (page: Page, step: number) => until(`step ${step}`, async () => (await stepShown(page)) === step);
const newest = (): RunSummary => listRuns(root)[0]!;

test('a case of Figure 3 is one click: a run of its own, which stands still before its last step', { skip }, () =>
  withPlayground(async ({ page }, backend) => {
    await page.getByTestId('speed').selectOption('most');
    await page.locator('[data-case="real"]').click();
    await untilStep(page, 39);
    const run = newest();
    assert.match(path.basename(run.paths.folder), /-playground-two$/);
    await until('the pause', () => readRun(run.paths.folder).state === 'paused');
    const config = readConfig(run.paths);
    assert.ok(config.kind === 'distill' && config.matching.realOnly && !config.regression.enabled);
    assert.deepEqual(config.mixture?.modes, [
      [-0.75, 0],
      [0.75, 0],
    ]);
    await button(page, 'Play').waitFor();
    await page.getByTestId('verdict').filter({ hasText: /\w/ }).waitFor();
    await page.getByText('With the real score alone there is no fake score.').waitFor();

    // Another noise level is read at once, though the run stands.
    const asked = () => backend.asked.filter(({ method }) => method === readPlane.method);
    const before = asked().length;
    await page.getByTestId('noise').fill('150');
    await until('a reading', () => asked().length > before);
    const { sigma } = (asked().at(-1)!.params as { params: { sigma: number } }).params;
    assert.equal(String(sigma), (await page.getByTestId('sigma').textContent())?.trim());

    await button(page, 'Finish').click();
    await until('the generator', () => fs.existsSync(path.join(run.paths.folder, 'generator.safetensors')));
    await page.getByText('This run has ended. Play goes on with it.').waitFor();
    // Its last checkpoint says what it would say: another noise level is another picture.
    const readings = asked().length;
    await page.getByTestId('noise').fill('60');
    await until('a reading of what has ended', () => asked().length > readings);
    const shownSigma = await page.getByTestId('sigma').textContent();
    await page
      .getByTestId('facts')
      .filter({ hasText: /four standard deviations/ })
      .waitFor();
    assert.notEqual(shownSigma?.trim(), String(sigma));
    await page.getByText('This run has ended. Play goes on with it.').waitFor();
    await button(page, 'Play').click();
    await until('the run to go on', async () => (await stepShown(page)) > 40);
    assert.equal(readRun(run.paths.folder).info?.iterations, 1540);
    await button(page, 'Pause').click();
    // What was asked of the run that is left, and cannot be answered any more, is nobody's error.
    const gone = new AbortController();
    const refused = once(gone.signal, 'abort').then(() => Promise.reject(new Error('it is gone')));
    refused.catch(() => {});
    const beforeReset = asked().length;
    backend.answer(readPlane, () => refused);
    await page.getByTestId('noise').fill('70');
    await until('a reading under way', () => asked().length > beforeReset);
    await button(page, 'Reset').click();
    await until('nothing shown', async () => (await page.getByTestId('step').textContent()) === '');
    await until('the end', () => readRun(run.paths.folder).state === 'stopped');
    gone.abort();
    await delay(200);
    assert.match((await page.getByTestId('status').textContent())!, /^Press Play/);
  }),
);

test('losses and rates change while it works, and run.json says so; steps are counted one by one', { skip }, () =>
  withPlayground(async ({ page }) => {
    await button(page, 'Step').click();
    await untilStep(page, 1);
    const { folder } = newest().paths;
    await button(page, '10 Steps').click();
    await untilStep(page, 11);
    await page.getByLabel('Real minus fake, with regression').check();
    await page.getByText('Changed from step 11 on.').waitFor();
    await page.getByTestId('lambda').fill('3');
    await page.getByTestId('lambda').press('Enter');
    await until('the second change', () => readRun(folder).info!.settings.length === 2);
    const noted = readRun(folder).info!.settings.map(({ step, set }) => [step, set]);
    assert.deepEqual(noted, [
      [11, ['regression.enabled=true']],
      [11, ['regression.lambda=3']],
    ]);
    await button(page, 'Step').click();
    await untilStep(page, 12);
    // What is no number is put back.
    await page.getByTestId('lambda').fill('much');
    await page.getByTestId('lambda').press('Tab');
    assert.equal(await page.getByTestId('lambda').inputValue(), '3');
  }),
);

test(
  'a drawn target, with the pointer and with keys, is another run; what was there comes back in a new page',
  { skip },
  () =>
    withPlayground(async (playground) => {
      const { page } = playground;
      await page.getByTestId('target').selectOption('ring');
      await page.getByLabel('Draw modes').check();
      const plane = page.getByTestId('plane');
      const box = (await plane.boundingBox())!;
      await page.mouse.move(box.x + 0.3 * box.width, box.y + 0.3 * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.7 * box.width, box.y + 0.3 * box.height, { steps: 5 });
      await page.mouse.up();
      assert.equal(await page.getByTestId('target').inputValue(), 'drawn');
      const modes = async () => Number(/(\d+) modes/.exec((await page.getByTestId('spoken').textContent()) ?? '')?.[1]);
      const drawn = await modes();
      assert.ok(drawn > 13, `${drawn} modes`);
      await page
        .getByTestId('spoken')
        .filter({ hasText: /of them fitted to the drawing, 0\.1\d* to/ })
        .waitFor();
      await plane.focus();
      for (const key of ['Shift+ArrowDown', 'Shift+ArrowDown', 'ArrowLeft', 'Enter']) await page.keyboard.press(key);
      assert.equal(await modes(), drawn + 1);
      await page.keyboard.press('Delete');
      assert.equal(await modes(), drawn);
      await page.getByLabel('Move the start').check();
      await plane.focus();
      for (const key of ['ArrowRight', 'Enter']) await page.keyboard.press(key);
      assert.match((await page.getByTestId('spoken').textContent())!, /^The samples begin at/);

      await button(page, 'Step').click();
      await untilStep(page, 1);
      const { paths } = newest();
      assert.match(path.basename(paths.folder), /-playground-drawn$/);
      const config = readConfig(paths);
      assert.ok(config.kind === 'distill' && config.mixture?.modes.length === drawn);
      await page.getByLabel('Fake score', { exact: true }).check();
      await until(
        'what was set to be kept',
        () => (playground.state() as { folder?: string })?.folder === paths.folder,
      );
      await until('the layer too', () => (playground.state() as { layers: { fake: boolean } }).layers.fake);

      const again = await playground.again();
      await untilStep(again.page, 1);
      assert.equal(await again.page.getByTestId('target').inputValue(), 'drawn');
      assert.ok(await again.page.getByLabel('Fake score', { exact: true }).isChecked());
      await again.page.getByTestId('target').selectOption('two');
      await again.page.getByText('Play starts a new run with it').waitFor();
      const runs = listRuns(root).length;
      await button(again.page, 'Step').click();
      await until('another run', () => listRuns(root).length === runs + 1);
      await until('the old one to end', () => readRun(paths.folder).state === 'stopped');
      await again.page.close();
    }),
);

test('a run whose process is killed is said to have ended, and can be gone on with', { skip }, async () => {
  const backend = newBackend();
  await withPlayground(
    async ({ page }) => {
      await button(page, 'Step').click();
      await untilStep(page, 1);
      await page.getByTestId('sigmaMax').fill('0.03');
      await page.getByTestId('sigmaMax').press('Enter');
      await page.getByText('Changed from step 1 on.').waitFor();
      const { folder } = newest().paths;
      // The process goes without a word, as when somebody kills it.
      process.kill(readRun(folder).owner!.pid, 'SIGKILL');
      await page.getByText('This run has ended. Play goes on with it.').waitFor();
      await button(page, 'Step').click();
      await until('it to go on', async () => (await stepShown(page)) >= 1 && readRun(folder).state === 'paused');
    },
    { backend },
  );
});

for (const theme of Object.keys(themes) as ThemeName[]) {
  test(`in the theme ${theme} every control has a name, and the plane is drawn`, { skip }, () =>
    withPlayground(
      async ({ page }) => {
        await page.getByText('Press Play, or one of the three cases of Figure 3.').waitFor();
        const pictures = process.env.DMD_TEST_PICTURES;
        if (pictures) await page.screenshot({ path: path.join(pictures, `playground-empty-${theme}.png`) });
        const inks = (await page.evaluate(`{
          const canvas = document.querySelector('canvas.plane');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) seen.add(data.slice(i, i + 3).join());
          seen.size;
        }`)) as number;
        assert.ok(inks >= 2, 'outlines of the modes and the mark of the start');
        const unnamed = (await page.evaluate(`
          [...document.querySelectorAll('input, select, button, canvas')].flatMap((control) => {
            const name = control.getAttribute('aria-label') ?? control.labels?.[0]?.textContent ?? control.textContent;
            return name?.trim() ? [] : [control.outerHTML];
          })`)) as string[];
        assert.deepEqual(unnamed, []);
      },
      { theme },
    ),
  );
}
