/** The header of the monitor: how a run stands is seen, what stopped it can be looked at, and what cannot be read is not lost. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  drawCurves,
  followRun,
  openRun,
  type RunRecord,
  resumeRun,
  runChanged,
  runLive,
  runRemoved,
  shownStates,
} from '../../backend/protocol/rpc/index.ts';
import { launchBrowser, noBrowser, until } from './harness.ts';
import { BackendInProcess } from './monitor/backend.ts';
import { hostCode, type OpenMonitor, openMonitor } from './monitor/open.ts';
import { iterations, type RecordedRun, recordRun } from './monitor/run.ts';

const skip = noBrowser;
let browser: Browser;
let run: RecordedRun;
const backends: BackendInProcess[] = [];

if (!skip) {
  [browser, run] = await Promise.all([launchBrowser(), recordRun('header')]);
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

/** The recorded run with another record. */
function standing(change: Partial<RunRecord>): BackendInProcess {
  const [backend, real] = [newBackend(), newBackend()];
  backend.answer(openRun, async (params) => {
    const overview = await real.request(openRun, params);
    const stop = change.error?.stop;
    const fields = stop === undefined ? overview.fields : { ...overview.fields, stop: [stop] };
    return { ...overview, fields, record: { ...overview.record, ...change } };
  });
  return backend;
}

async function withMonitor(backend: BackendInProcess, work: (monitor: OpenMonitor) => Promise<void>): Promise<void> {
  const monitor = await openMonitor({ browser, backend, folders: [run.folder], width: 1000, height: 700 });
  try {
    await work(monitor);
    assert.deepEqual(monitor.problems, []);
  } finally {
    await monitor.close();
  }
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('every state has a badge of its own; one that was stopped by an error does not look like one at work', {
  skip,
}, async () => {
  const looks = new Map<string, string>();
  const backend = standing({});
  await withMonitor(backend, async ({ page }) => {
    await page.locator('.chart').first().waitFor();
    const { record } = await backend.request(openRun, { folder: run.folder });
    for (const state of shownStates) {
      backend.tell(runChanged, { ...record, state });
      const badge = page.locator(`.top .state[data-state="${state}"]`);
      await badge.waitFor();
      const look = await badge.evaluate((shown) => {
        const { borderColor, backgroundColor } = shown.ownerDocument.defaultView!.getComputedStyle(shown);
        const path = shown.querySelector('path')!.getAttribute('d');
        return JSON.stringify([path, borderColor, backgroundColor]);
      });
      looks.set(state, look);
    }
  });
  assert.equal(looks.size, shownStates.length);
  for (const state of ['failed', 'interrupted', 'paused', 'stopped', 'finished', 'damaged']) {
    const [shape, border] = JSON.parse(looks.get(state)!);
    const [runningShape, runningBorder] = JSON.parse(looks.get('running')!);
    assert.notEqual(shape, runningShape, state);
    if (state !== 'finished') assert.notEqual(border, runningBorder, state);
  }
});

test('a run stopped by a NaN leads to that step, which lies on the axis, and to a resume with changes', {
  skip,
}, async () => {
  const stop = iterations + 1;
  const error = { message: `loss/matching became NaN in step ${stop}`, hint: 'Look at them, then go on.', stop };
  const process = null;
  await withMonitor(standing({ state: 'failed', error, process }), async (monitor) => {
    const { page } = monitor;
    await page.locator('.chart').first().waitFor();
    await page.getByText('Look at them, then go on.').first().waitFor();
    assert.equal(await button(page, 'Resume').count(), 0, 'it would stop at the same step again');
    await button(page, 'Show the Stopped Step').click();
    await page.locator('output.step', { hasText: new RegExp(`^${stop}$`) }).waitFor();
    const plot = page.locator('section[data-chart="loss/matching"]');
    await plot.scrollIntoViewIfNeeded();
    const isInside = () =>
      page.evaluate<boolean>(`(() => {
        const chart = document.querySelector('section[data-chart="loss/matching"]');
        const [over, line] = ['.u-over', '.cursor-line'].map((one) => chart.querySelector(one).getBoundingClientRect());
        return line.width > 0 && line.left >= over.left - 1 && line.right <= over.right + 1;
      })()`);
    await until(page, 'the cursor at the stopped step, within the axis', isInside);
    const { vscode } = await hostCode();
    await button(page, 'Resume with Changes…').click();
    const asked = () => vscode.calls.some(([, [command]]) => command === 'dmd.resumeWithChanges');
    await until(page, 'the command', asked);
  });
});

test('one word for going on: a paused run and one that was stopped are both resumed', { skip }, async () => {
  const reachable = { pid: 1, reachable: true };
  await withMonitor(standing({ state: 'paused', process: reachable }), async ({ page }) => {
    await button(page, 'Resume').waitFor();
    assert.equal(await page.getByText('Go On').count(), 0);
  });
  const stopped = standing({ state: 'stopped', process: null });
  const resumed: unknown[] = [];
  stopped.answer(resumeRun, (params) => {
    resumed.push(params);
    return null;
  });
  await withMonitor(stopped, async ({ page }) => {
    await button(page, 'Resume').click();
    await until(page, 'the request', () => resumed.length > 0);
    assert.deepEqual(resumed, [{ folder: run.folder, set: [] }]);
  });
});

test('several ranks: how many, how fast each is and how long it waits; one process says nothing of them', {
  skip,
}, async () => {
  const backend = standing({ ranks: 3, state: 'running', process: { pid: 1, reachable: true } });
  await withMonitor(backend, async ({ page }) => {
    const ranks = page.getByTestId('ranks');
    await page.getByText('cpu, 1 thread, 3 ranks').waitFor();
    await ranks.getByText('3 ranks', { exact: true }).waitFor();
    const asked = backend.asked.findLast(({ method }) => method === followRun.method)!;
    const { id } = asked.params as { id: string };
    const values = {
      'images per second of rank 0': 12.25,
      'images per second of rank 1': 9.5,
      'waiting of rank 1': 0.03,
    };
    const scalars = Object.fromEntries(
      Object.entries({ ...values, 'waiting of rank 0': 0.25 }).map(([name, value]) => [`ranks/${name}`, value]),
    );
    backend.tell(runLive, { id, event: { type: 'scalars', points: [{ step: 13, time: 13, scalars }] } });
    await ranks.getByText('3 ranks, waiting for each other 14 % of the time').click();
    const cells = await ranks.locator('tbody tr').allInnerTexts();
    assert.deepEqual(
      cells.map((row) => row.split('\t').map((text) => text.trim())),
      [
        ['0', '12.3', '25 %'],
        ['1', '9.5', '3 %'],
        ['2', '', ''],
      ],
    );
    await page.locator('section[data-chart="ranks/waiting"]').waitFor();
    const { record } = await backend.request(openRun, { folder: run.folder });
    backend.tell(runChanged, { ...record, ranks: 1 });
    await ranks.waitFor({ state: 'hidden' });
  });
});

test('while the history is read the page says whose, and shows it when it comes', { skip }, async () => {
  const [backend, real] = [newBackend(), newBackend()];
  let read = () => {};
  const reading = new Promise<void>((resolve) => {
    read = resolve;
  });
  backend.answer(followRun, async () => {
    await reading;
    return null;
  });
  for (const definition of [openRun, drawCurves] as const) {
    backend.answer(definition as typeof openRun, async (params) => {
      await reading;
      return real.request(definition as typeof openRun, params);
    });
  }
  await withMonitor(backend, async ({ page }) => {
    await page.locator('h1', { hasText: run.folder.split('/').at(-1)! }).waitFor();
    await page.getByText('Loading…').first().waitFor();
    read();
    await page.locator('.chart').first().waitFor();
  });
});

test('a run whose folder is back, as after an undo, is shown again', { skip }, async () => {
  const backend = newBackend();
  await withMonitor(backend, async ({ page }) => {
    await page.locator('.chart').first().waitFor();
    const { record } = await backend.request(openRun, { folder: run.folder });
    backend.tell(runRemoved, { folder: run.folder });
    await page.getByText('The folder of this run was deleted.').waitFor();
    backend.tell(runChanged, record);
    await page.getByText('The folder of this run was deleted.').waitFor({ state: 'detached' });
    await page.locator('.chart').first().waitFor();
  });
});
