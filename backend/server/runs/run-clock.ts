/** Which steps a run has and when they were, in few numbers: steps mostly follow each other at one distance. */
import type { RunClock } from '../../protocol/rpc/index.ts';
import type { RunHistory } from './history.ts';

/** Times between which a straight line tells the others. */
const mostTimes = 1000;

/** Of the curve with the most points: what a step of the run is. */
export function clockOf(history: Pick<RunHistory, 'longest' | 'lastValues'>): RunClock {
  const { steps, times } = history.longest();
  return { strides: stridesOf(steps), times: someTimes(steps, times), last: history.lastValues() };
}

/** [first, distance, how many] for every stretch of equal distances. */
function stridesOf(steps: Float64Array): Float64Array {
  const strides: number[] = [];
  for (let i = 0; i < steps.length; ) {
    const distance = i + 1 < steps.length ? steps[i + 1]! - steps[i]! : 1;
    let end = i + 1;
    while (end < steps.length && steps[end]! - steps[end - 1]! === distance) end++;
    strides.push(steps[i]!, distance, end - i);
    i = end;
  }
  return Float64Array.from(strides);
}

/** Every so many-th, and both sides of every break. */
function someTimes(steps: Float64Array, times: Float64Array): RunClock['times'] {
  const count = steps.length;
  const every = Math.max(1, Math.ceil(count / mostTimes));
  const long = ((times[count - 1] ?? 0) - (times[0] ?? 0)) / mostTimes;
  const kept: number[] = [];
  for (let i = 0; i < count; i++) {
    const breaks = times[i + 1]! - times[i]! > long || times[i]! - times[i - 1]! > long;
    if (i % every === 0 || i === count - 1 || breaks) kept.push(i);
  }
  return { steps: Float64Array.from(kept, (i) => steps[i]!), seconds: Float64Array.from(kept, (i) => times[i]!) };
}
