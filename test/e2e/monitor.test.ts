/** What the monitor shows is what the run wrote: curves, the cursor's step and score fields, at steps along the run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { FrameLocator, Locator } from 'playwright-core';
import { editorTest } from './driver/editor-test.ts';
import { curve, probeSteps, probeValue, theRun, untilRun } from './driver/recorded.ts';
import { until } from './driver/until.ts';

const pixel = { x: 20, y: 11 };
/** Of the probe's noise levels, the second. */
const level = 1;

interface Point {
  readonly value: number;
  readonly y: number;
}

editorTest('the monitor shows the numbers of the run folder', { newestOnly: true }, async ({ server, workbench }) => {
  await workbench.run('DMD: Start the Built-in Run');
  const run = await theRun(join(server.workspace, 'runs'));
  const monitor = workbench.webview();
  const shownStep = async () => Number((await monitor.locator('output.step').textContent())?.replaceAll(/\D/g, ''));

  // Live: the cursor goes with the run.
  await until('the cursor to follow the run', async () => (await shownStep()) >= 2, 240);
  assert.equal(await monitor.getByRole('button', { name: 'Live' }).getAttribute('aria-pressed'), 'true');

  await until('three recorded probes', () => probeSteps(run).length >= 4 && lastStep(run) > 15, 240);
  await monitor.getByRole('button', { name: 'Pause' }).click();
  await untilRun(run, 'paused', ({ state }) => state === 'paused');
  const last = lastStep(run);
  await until('the last step to be shown', async () => (await shownStep()) === last);

  const chart = monitor.locator('section[data-chart="loss/matching"]');
  const seen: Point[] = [];
  const steps = probeSteps(run)
    .filter((step) => step > 0 && step < last)
    .slice(0, 3);
  assert.equal(steps.length, 3);
  for (const step of steps) {
    await clickAt(chart.locator('.u-over'), step / last, 0.5); // the axis goes from 0 to the last step
    // What is clicked is shown in the next frame.
    await until(`step ${step} to be shown`, async () => (await shownStep()) === step);
    await monitor.locator(`.field-grid[data-step="${step}"]`).waitFor();
    const value = curve(run, 'loss/matching').get(step)!;
    assertShown(await chart.locator('.series .number').textContent(), value, 4);
    seen.push({ value, y: await dotHeight(chart) });

    const grad = mean((channel) => probeValue(run, step, 'grad', [level, 0, channel, pixel.y, pixel.x]));
    assertShown(await hoveredValue(monitor, 'grad'), grad, 3);
    const difference = mean((channel) => {
      const at = [level, 0, channel, pixel.y, pixel.x];
      return probeValue(run, step, 'muReal', at) - probeValue(run, step, 'muFake', at);
    });
    assertShown(await hoveredValue(monitor, 'difference'), difference, 3);
  }
  assertOnOneScale(seen);
});

function lastStep(run: string): number {
  return Math.max(0, ...curve(run, 'loss/matching').keys());
}

function mean(of: (channel: number) => number): number {
  return (of(0) + of(1) + of(2)) / 3;
}

async function clickAt(area: Locator, x: number, y: number): Promise<void> {
  const box = (await area.boundingBox())!;
  await area.click({ position: { x: x * box.width, y: y * box.height } });
}

/** What the monitor says under a heatmap when the pointer is over the pixel. */
async function hoveredValue(monitor: FrameLocator, field: string): Promise<string | null> {
  const cell = monitor.locator(`.cell[data-field="${field}"][data-column="${level}"]`);
  const canvas = cell.locator('canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox())!;
  const size = 32;
  await canvas.hover({
    position: { x: ((pixel.x + 0.5) / size) * box.width, y: ((pixel.y + 0.5) / size) * box.height },
  });
  await cell.locator('.value').filter({ hasText: /\d/ }).waitFor();
  return cell.locator('.value').textContent();
}

/** CSS pixels from the top of the plot to the dot that the cursor has on the curve. */
async function dotHeight(chart: Locator): Promise<number> {
  const style = (await chart.locator('.cursor-dot').first().getAttribute('style')) ?? '';
  return Number(style.match(/translate\([^,]+,\s*([-\d.]+)px\)/)?.[1]);
}

/** The number as it is shown, rounded to so many significant digits. */
function assertShown(text: string | null, value: number, digits: number): void {
  const shown = Number(text?.trim().replaceAll('−', '-'));
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
  assert.ok(Math.abs(shown - value) <= 0.501 * unit, `shown ${text}, recorded ${value}`);
}

/** Heights are a straight line over the values, and higher is more. */
function assertOnOneScale(points: readonly Point[]): void {
  const [low, middle, high] = [...points].sort((a, b) => a.value - b.value) as [Point, Point, Point];
  const perUnit = (high.y - low.y) / (high.value - low.value);
  assert.ok(perUnit < 0, 'larger values are drawn higher');
  const expected = low.y + (middle.value - low.value) * perUnit;
  assert.ok(Math.abs(middle.y - expected) < 1, `drawn at ${middle.y}, should be ${expected}`);
}
