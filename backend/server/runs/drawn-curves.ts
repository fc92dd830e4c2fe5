/** Curves as they are drawn: as many points as show, and their running mean over everything that was recorded. */
import { setImmediate as turn } from 'node:timers/promises';
import type { DrawnCurve, Points } from '../../protocol/rpc/index.ts';
import { RunningMean } from '../../protocol/running-mean.ts';
import type { RunHistory } from './history.ts';
import { thinned } from './thinned.ts';

export interface Drawing {
  /** null: all steps. */
  readonly range: readonly [from: number, to: number] | null;
  /** So many stretches of steps are told apart. */
  readonly stretches: number;
  /** Reach of the running mean in steps; 0: none. */
  readonly smoothing: number;
}

/** Between two turns of the event loop. */
const sliceMs = 8;

/** One curve for each tag, empty for one that is not there. */
export async function drawnCurves(
  history: RunHistory,
  tags: readonly string[],
  drawing: Drawing,
  signal: AbortSignal,
): Promise<DrawnCurve[]> {
  const curves: DrawnCurve[] = [];
  let since = performance.now();
  for (const tag of tags) {
    curves.push(drawnCurve(tag, history.curve(tag), drawing));
    if (performance.now() - since < sliceMs) continue;
    await turn();
    signal.throwIfAborted();
    since = performance.now();
  }
  return curves;
}

export function drawnCurve(tag: string, raw: Points, { range, stretches, smoothing }: Drawing): DrawnCurve {
  const [from, to] = range ?? [raw.steps[0] ?? 0, raw.steps.at(-1) ?? 0];
  const among = { from, to, count: stretches };
  const { whole, ...points } = thinned(raw, among);
  if (smoothing === 0) return { tag, whole, raw: points, smooth: null };
  const mean = new RunningMean(smoothing);
  const values = raw.values.map((value, i) => mean.next(raw.steps[i]!, value));
  const { steps, values: kept } = thinned({ steps: raw.steps, values }, among);
  return { tag, whole, raw: points, smooth: { steps, values: kept, mean: mean.state } };
}
