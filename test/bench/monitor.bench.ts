/**
 * The monitor's page with a million points, in a browser without a GPU: redrawing all charts on the screen (at most 16 ms),
 * zooming (50 ms), and a step from its arrival to the pixels of its curve and fields (100 ms). Medians and quartiles.
 * Then opening long and many runs (300,000 steps: at most 5 MB and a second; 50 runs: two seconds), and the script of a move of the
 * pointer over two runs of 100,000 steps (16 ms); and how long the event files of 300,000 steps take to be read.
 *
 *     npm run bench -- monitor --points=1000000 --turns=60
 */
import { launchBrowser, noBrowser } from '../webview/harness.ts';
import { timeMonitor, timeOpening } from '../webview/monitor/timing.ts';
import { numberOption } from './lib/options.ts';
import { timeReading } from './lib/reading.ts';
import { spread } from './lib/statistics.ts';

const points = numberOption('points', 1_000_000);
const turns = numberOption('turns', 60);
const losses = ['loss/matching', 'loss/regression', 'loss/fake'];
const many = [...losses, 'norm/generator', 'norm/fake', 'gradient/mean', 'residual/real', 'residual/fake'];

if (noBrowser) throw new Error(noBrowser);
const browser = await launchBrowser();
try {
  for (const [title, tags, each, smoothing] of [
    ['one curve', ['loss/matching'], points, 0],
    ['one curve, smoothed', ['loss/matching'], points, 100],
    ['three curves of as many each, smoothed', losses, points, 100],
    ['eight curves of as many in all', many, Math.round(points / many.length), 0],
  ] as const) {
    const { redraw, zoom, step } = await timeMonitor(browser, { tags, points: each, smoothing }, turns);
    console.log(
      `${title}, ${each.toLocaleString('en')} points: redraw ${spread(redraw, 1)} ms, zoom ${spread(zoom, 1)} ms, step to pixel ${spread(step, 1)} ms`,
    );
  }
  for (const [title, runs, steps] of [
    ['one run of 300,000 steps', 1, 300_000],
    ['two runs of 100,000 steps', 2, 100_000],
    ['50 runs of 2,000 steps', 50, 2000],
  ] as const) {
    const { shown, bytes, hover } = await timeOpening(browser, runs, steps, turns);
    console.log(
      `${title}, sixteen curves: shown in ${shown.toFixed(0)} ms, ${(bytes / 1e6).toFixed(2)} MB sent, hover ${spread(hover, 1)} ms`,
    );
  }
  console.log(`300,000 steps of sixteen numbers read in ${(await timeReading(300_000)).toFixed(0)} ms`);
} finally {
  await browser.close();
}
