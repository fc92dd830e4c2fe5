/**
 * The monitor's page with a million points, in a browser without a GPU: redrawing all charts on the screen (at most 16 ms),
 * zooming (50 ms), and a step from its arrival to the pixels of its curve and fields (100 ms). Medians and quartiles.
 *
 *     npm run bench -- monitor --points=1000000 --turns=60
 */
import { launchBrowser, noBrowser } from '../webview/harness.ts';
import { timeMonitor } from '../webview/monitor/timing.ts';
import { numberOption } from './lib/options.ts';
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
} finally {
  await browser.close();
}
