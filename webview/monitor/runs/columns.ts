/** What the table says of each run in numbers: how far, how long, its last losses and learning rate. */
import type { MonitorTexts } from '../../../backend/protocol/panels/monitor-texts.ts';
import { count, number, time } from '../../shared/format.ts';
import { better } from '../charts/best.ts';
import { chartTitle } from '../charts/titles.ts';
import type { RunData } from '../data/run-data.ts';

export interface Column {
  readonly id: string;
  readonly title: string;
  readonly better: 'least' | 'greatest' | null;
  /** NaN where there is none. */
  value(run: RunData): number;
  text(value: number): string;
}

/** More would need a screen of their own; the others have charts. */
const mostLosses = 4;

export function columnsFor(texts: MonitorTexts, runs: readonly RunData[]): Column[] {
  const tags = [...new Set(runs.flatMap((run) => run.tags))].sort();
  const losses = tags.filter((tag) => /(^|\/)loss/i.test(tag) || better(tag) !== null).slice(0, mostLosses);
  const rates = tags
    .filter((tag) => tag === 'rate/generator' || /(^|[/_])(lr|learning[ _-]?rate)/i.test(tag))
    .slice(0, 1);
  const last = (tag: string, title: string): Column => ({
    id: tag,
    title,
    better: better(tag),
    value: (run) => run.curves.last(tag)?.value ?? Number.NaN,
    text: (value) => number(value, 3),
  });
  const several = runs.some(({ record }) => (record?.ranks ?? 1) > 1);
  const ranks: Column = {
    ...{ id: 'ranks', title: texts.groupRanks, better: null },
    value: ({ record }) => record?.ranks ?? Number.NaN,
    text: count,
  };
  return [
    { id: 'step', title: texts.step, better: null, value: (run) => run.lastStep, text: count },
    { id: 'seconds', title: texts.duration, better: null, value: secondsOf, text: time },
    ...(several ? [ranks] : []),
    ...losses.map((tag) => last(tag, chartTitle(texts, { id: tag, group: 'loss', tags: [tag] }))),
    ...rates.map((tag) => last(tag, texts.learningRates)),
  ];
}

/** From its first sign of life to its last. */
function secondsOf({ record, clock }: RunData): number {
  const started = Date.parse(record?.startedAt ?? '') / 1000;
  const ended = Date.parse(record?.endedAt ?? record?.updatedAt ?? '') / 1000;
  const begun = Number.isNaN(started) ? clock.begun : started;
  const over = Number.isNaN(ended) ? clock.secondsAt(clock.lastStep) : ended;
  return over >= begun ? over - begun : Number.NaN;
}
