/** How often which numbers are in a tensor, as bars in the colour of the text around them. */
import { element, fillWith } from '../shared/dom.ts';
import { number } from '../shared/format.ts';

const namespace = 'http://www.w3.org/2000/svg';
const [width, height] = [480, 80];

export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: Float64Array;
}

/** @param spoken what it says to those who do not see it */
export function histogramOf({ low, high, counts }: Histogram, title: string, spoken: string): HTMLElement {
  const most = Math.max(1, ...counts);
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', spoken);
  const each = width / counts.length;
  const bars = document.createElementNS(namespace, 'path');
  const paths = Array.from(counts, (amount, i) => {
    // What is there is seen, however rare it is.
    const tall = amount === 0 ? 0 : Math.max(1, (amount / most) * (height - 2));
    return tall === 0 ? '' : `M${i * each} ${height}v${-tall}h${each - 0.5}v${tall}z`;
  });
  bars.setAttribute('d', paths.join(''));
  svg.append(bars);
  const root = element('figure', { class: 'histogram' });
  fillWith(
    root,
    element('figcaption', { class: 'muted small' }, title),
    svg,
    element('div', { class: 'ends muted small number', 'aria-hidden': 'true' }, number(low), ' ', number(high)),
  );
  return root;
}
