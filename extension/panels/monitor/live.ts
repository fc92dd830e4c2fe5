/** News of a run as the monitor's page takes them. */
import type { MonitorEvent } from '../../../backend/protocol/panels/monitor.ts';
import type { Curve, LiveEvent } from '../../../backend/protocol/rpc/runs.ts';

export function pageEvent(event: LiveEvent): MonitorEvent {
  return event.type === 'scalars' ? { type: 'curves', curves: curvesOf(event.points) } : event;
}

/** One curve per tag: what was measured crosses to the page in typed arrays. */
function curvesOf(points: Extract<LiveEvent, { type: 'scalars' }>['points']): Curve[] {
  const byTag = new Map<string, { steps: number[]; values: number[]; times: number[] }>();
  for (const { step, time, scalars } of points) {
    for (const [tag, value] of Object.entries(scalars)) {
      const curve = byTag.get(tag) ?? { steps: [], values: [], times: [] };
      byTag.set(tag, curve);
      curve.steps.push(step);
      curve.values.push(value);
      curve.times.push(time);
    }
  }
  return [...byTag].map(([tag, { steps, values, times }]) => ({
    tag,
    steps: Float64Array.from(steps),
    values: Float64Array.from(values),
    times: Float64Array.from(times),
  }));
}
