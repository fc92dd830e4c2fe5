/** How long the monitor's page takes to draw, with as many points as asked for: milliseconds until the pixels are there. */
import type { Browser } from 'playwright-core';
import { drawCurves, monitorLive } from '../../../backend/protocol/panels/monitor.ts';
import { toWire } from '../crossing.ts';
import { longRuns, sixteenTags } from './long-runs.ts';
import { type OpenMonitor, openMonitor } from './open.ts';

const folder = '/runs/long';
const levels = 5;
const images = 4;
const side = 32;
/** Curves of the group that is always open; others have no legend until they are. */
const inFirstGroup = 3;
/** Millions of numbers cross as text here, which they do not in the editor; that is not what is timed. */
const loadMilliseconds = 400_000;

export interface LongRun {
  readonly tags: readonly string[];
  /** Of each curve. */
  readonly points: number;
  readonly smoothing: number;
}

export interface Timings {
  /** Of all charts on the screen, from the start of the frame. */
  readonly redraw: number[];
  /** From the turn of the wheel. */
  readonly zoom: number[];
  /** From the arrival of a step's numbers and probe to its curve and its fields. */
  readonly step: number[];
}

export async function timeMonitor(browser: Browser, run: LongRun, turns: number): Promise<Timings> {
  const backend = longRuns({ ...run, state: 'running' });
  const monitor = await openMonitor({
    browser,
    backend,
    folders: [folder],
    state: stateOf(run),
    width: 1280,
    height: 900,
  });
  try {
    await monitor.page
      .locator('.chart .series .number')
      .nth(Math.min(run.tags.length, inFirstGroup) - 1)
      .waitFor({ timeout: loadMilliseconds });
    await monitor.page.locator('output.step', { hasText: /\d{4}|\d,\d{3}/ }).waitFor({ timeout: loadMilliseconds });
    const { redraw, zoom } = (await monitor.page.evaluate(zoomTimings(turns))) as { redraw: number[]; zoom: number[] };
    return { redraw, zoom, step: await stepTimings(monitor, run, turns) };
  } finally {
    await monitor.close();
    await backend.end();
  }
}

export interface Opening {
  /** Milliseconds from the page's first request for its runs until the last chart on the screen has its number. */
  readonly shown: number;
  /** That came to the page by then, numbers as they cross in the editor. */
  readonly bytes: number;
  /** Milliseconds of script for each move of the pointer. */
  readonly hover: readonly number[];
}

/** Opens finished runs of sixteen curves, and moves the pointer over their first chart. */
export async function timeOpening(browser: Browser, runs: number, points: number, turns: number): Promise<Opening> {
  const folders = Array.from({ length: runs }, (_, i) => `/runs/long-${i}`);
  const backend = longRuns({ tags: sixteenTags, points, state: 'finished' });
  for (const folder of folders) await backend.request(drawCurves, { folder, tags: sixteenTags, ...coarsest });
  const monitor = await openMonitor({ browser, backend, folders, width: 1280, height: 900 });
  try {
    const start = backend.begun;
    // The page's policy lets nobody wait in it by a text that it would have to evaluate.
    while (!(await monitor.page.evaluate(isShown(runs))))
      await monitor.page.evaluate('new Promise(requestAnimationFrame)');
    const shown = performance.now() - start;
    const bytes = monitor.sent();
    return { shown, bytes, hover: (await monitor.page.evaluate(hoverTimings(turns))) as number[] };
  } finally {
    await monitor.close();
    await backend.end();
  }
}

/** The curves are drawn by chance when they are first asked for, which is not what is timed. */
const coarsest = { range: null, stretches: 1, smoothing: 0 };

const isShown = (runs: number) => `document.querySelectorAll('.chart .series .number').length > 3
  && document.querySelectorAll('tr.run').length === ${runs === 1 ? 0 : runs}
  && ![...document.querySelectorAll('.chart .series .number')].some(({ textContent }) => textContent === '')
  && !document.querySelector('.run-table td[data-column="loss/fake"]')?.textContent.includes('–')`;

/** What the page does between a move of the pointer and the end of its next frame. */
function hoverTimings(turns: number): string {
  return `(async () => {
    const over = document.querySelector('.u-over');
    const box = over.getBoundingClientRect();
    const times = [];
    for (let i = 0; i < ${turns}; i++) {
      const clientX = box.left + box.width * (0.1 + 0.8 * ((i * 7919) % 997) / 997);
      await new Promise((done) => setTimeout(done, 120));
      times.push(await new Promise((done) => {
        let start;
        requestAnimationFrame(() => { start = performance.now(); });
        const moved = performance.now();
        over.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY: box.top + box.height / 2, bubbles: true }));
        const listening = performance.now() - moved;
        requestAnimationFrame(() => done(listening + performance.now() - start));
      }));
    }
    return times;
  })()`;
}

function stateOf({ smoothing }: LongRun) {
  return {
    folders: [folder],
    focus: null,
    hidden: [],
    cursor: { mode: 'live', step: 0 },
    zoom: null,
    smoothing,
    logCharts: [],
    closedGroups: [],
    hiddenSeries: [],
    fields: { kind: 'probe', image: 0, channel: -1, scales: { difference: null, grad: null }, perLevel: false },
  };
}

/**
 * Turns the wheel and waits for the frame that shows it. What the page does in a frame lies between the two callbacks around
 * its own; reading a pixel makes the browser finish drawing.
 */
function zoomTimings(turns: number): string {
  return `(async () => {
    const over = document.querySelector('.u-over');
    const box = over.getBoundingClientRect();
    const flush = () => {
      for (const canvas of document.querySelectorAll('.plot canvas')) canvas.getContext('2d').getImageData(0, 0, 1, 1);
    };
    const turn = (deltaY) => new Promise((done) => {
      let start;
      requestAnimationFrame(() => { start = performance.now(); });
      const turned = performance.now();
      over.dispatchEvent(new WheelEvent('wheel', {
        deltaY, ctrlKey: true, bubbles: true, cancelable: true, clientX: box.left + box.width * 0.6, clientY: box.top + 20,
      }));
      requestAnimationFrame(() => { flush(); done([performance.now() - start, performance.now() - turned]); });
    });
    const times = { redraw: [], zoom: [] };
    for (let i = 0; i < ${turns}; i++) {
      const [redraw, zoom] = await turn(i % 20 < 10 ? -120 : 120);
      times.redraw.push(redraw);
      times.zoom.push(zoom);
      await new Promise((next) => setTimeout(next, 5));
    }
    document.dispatchEvent(new KeyboardEvent('keydown', { key: '0' }));
    return times;
  })()`;
}

async function stepTimings({ page }: OpenMonitor, { tags, points }: LongRun, turns: number): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 1; turn <= turns; turn++) {
    const step = points + turn;
    const one = Float64Array.of(step);
    const curves = tags.map((tag) => ({ tag, steps: one, times: one, values: Float64Array.of(Math.random()) }));
    const news = [
      { type: 'curves' as const, curves },
      { type: 'probe' as const, fields: probeAt(step) },
    ].map((event) => toWire({ type: 'notification', method: monitorLive.method, params: { folder, event } }));
    times.push(
      (await page.evaluate(`(async () => {
        const news = ${JSON.stringify(news)}.map((text) => dmdCrossing.fromWire(text));
        const shown = () => document.querySelector('.field-grid')?.dataset.step === '${step}';
        const start = performance.now();
        for (const data of news) window.dispatchEvent(new MessageEvent('message', { data }));
        while (!shown()) await new Promise(requestAnimationFrame);
        for (const canvas of document.querySelectorAll('canvas')) canvas.getContext('2d').getImageData(0, 0, 1, 1);
        return performance.now() - start;
      })()`)) as number,
    );
  }
  return times;
}

/** As large as that of the built-in model. */
function probeAt(step: number) {
  const random = (length: number) => Float32Array.from({ length }, () => Math.random() - 0.5);
  const image = 3 * side * side;
  const shape = [levels, images, 3, side, side];
  const tensors = [
    { name: 'x', shape: shape.slice(1), data: random(images * image) },
    { name: 'sigma', shape: [levels], data: Float32Array.of(0.02, 0.3, 2.5, 12, 45) },
    ...['xt', 'muReal', 'muFake', 'grad'].map((name) => ({ name, shape, data: random(levels * images * image) })),
  ];
  return { kind: 'probe' as const, step, tensors, metadata: {} };
}
