/** A curve in words: its value at the cursor, its range, where it is going, and what is wrong with it. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import type { Series } from '../../shared/charts/series.ts';
import type { Trace } from '../../shared/charts/trace.ts';
import { count, number } from '../../shared/format.ts';
import { fill } from '../../shared/initial.ts';

export function summary(texts: MonitorTexts, { name, raw }: Trace, step: number, from: number, to: number): string {
  const first = raw.indexFrom(from);
  const end = raw.indexUpTo(to) + 1;
  if (end <= first) return `${name}: ${texts.chartEmpty}`;
  const index = Math.max(first, raw.indexUpTo(step));
  const { min, max } = raw.extent(first, end);
  const odd = raw.odd.filter((i) => i >= first && i < end).length;
  const parts = fill(
    texts.chartSummary,
    name,
    number(raw.value(index)),
    count(raw.step(index)),
    number(min),
    number(max),
    trend(texts, raw, first, index + 1),
  );
  return odd > 0 ? `${parts} ${fill(texts.notFinite, odd)}` : parts;
}

/** Compares the last tenth before the cursor with the tenth before it, against how much values differ there. */
function trend(texts: MonitorTexts, series: Series, from: number, to: number): string {
  const size = Math.max(1, Math.floor((to - from) / 10));
  if (to - from < 4) return texts.level;
  const late = stretch(series, to - size, to);
  const early = stretch(series, Math.max(from, to - 2 * size), to - size);
  const { min, max } = series.extent(from, to);
  const change = late - early;
  if (!(Math.abs(change) > 0.02 * (max - min))) return texts.level;
  return change > 0 ? texts.rising : texts.falling;
}

/** Mean of the finite values, of at most a thousand of them. */
function stretch(series: Series, from: number, to: number): number {
  const every = Math.max(1, Math.floor((to - from) / 1000));
  let sum = 0;
  let found = 0;
  for (let i = from; i < to; i += every) {
    const value = series.value(i);
    if (!Number.isFinite(value)) continue;
    sum += value;
    found++;
  }
  return sum / found;
}
