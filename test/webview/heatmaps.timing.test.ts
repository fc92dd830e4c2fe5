/** How long a heatmap takes to be painted anew, in a browser without a graphics card. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitHere } from '../machine-speed.ts';
import { launchBrowser, noBrowser } from './harness.ts';
import { openViews } from './heatmaps/open.ts';

const skip = noBrowser;
const limitMilliseconds = 16;

test('512x512x4 repaints and rescales in 16 ms, the median, until the pixels are there', { skip }, async () => {
  const browser = await launchBrowser();
  try {
    const page = await openViews(browser);
    const times = (await page.evaluate(`(() => {
      const { HeatmapGroup, HeatmapView } = views;
      const view = new HeatmapView(new HeatmapGroup());
      view.canvas.style.width = '1024px';
      document.querySelector('#root').replaceChildren(view.canvas);
      const numbers = () => Float32Array.from({ length: 4 * 512 * 512 }, () => Math.random() * 4 - 2);
      const contents = [numbers(), numbers()];
      const paint = (data, end) => {
        const start = performance.now();
        const picture = { channels: 4, width: 512, height: 512, data };
        view.show({ picture, kind: 'signed', channels: 'apart', end, name: '', summary: '' });
        // Reading a pixel makes the browser finish drawing.
        view.canvas.getContext('2d').getImageData(0, 0, 1, 1);
        return performance.now() - start;
      };
      for (let i = 0; i < 5; i++) paint(contents[i % 2], 1);
      const repaint = [], rescale = [];
      for (let i = 0; i < 30; i++) {
        repaint.push(paint(contents[i % 2], 1));
        rescale.push(paint(contents[i % 2], 1 + i / 10));
      }
      return { repaint, rescale };
    })()`)) as Record<string, number[]>;
    for (const [what, all] of Object.entries(times)) {
      const median = all.sort((a, b) => a - b)[all.length >> 1]!;
      console.log(`${what}: ${median.toFixed(1)} ms (least ${all[0]!.toFixed(1)})`);
      assert.ok(median <= limitHere(limitMilliseconds), `${what} took ${median} ms`);
    }
  } finally {
    await browser.close();
  }
});
