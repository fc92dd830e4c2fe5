/** What charts are drawn over: steps, the time since a run began, or the time of day. */
import { type Axis, type AxisKind, bySteps } from '../shared/charts/axis.ts';
import type { Clock } from './data/clock.ts';

/** Parts of a step that are told apart: times of fast steps are all but exact. */
const parts = 100;

export function axisOf(kind: AxisKind, clock: Clock): Axis {
  if (kind === 'step') return bySteps;
  const zero = kind === 'relative' ? clock.begun : 0;
  return {
    at: (step) => clock.secondsAt(step) - zero,
    step: (at) => Math.round(clock.stepAt(at + zero) * parts) / parts,
  };
}
