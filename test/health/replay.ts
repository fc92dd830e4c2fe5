/** A recorded run judged as it would have been while it ran: a look at every check-up and at the end. */
import { HealthWatch } from '../../backend/health/evaluate.ts';
import { sampleTags } from '../../backend/health/tags.ts';
import type { Verdict } from '../../backend/health/verdict.ts';
import type { RecordedRun } from './recorded-run.ts';

/** The first verdict of each severity of each rule, in the order they came. */
export function replay(run: RecordedRun): Verdict[] {
  const bySteps = new Map<number, Record<string, number>>();
  for (const [tag, [steps, values]] of Object.entries(run)) {
    for (const [i, step] of steps.entries()) {
      const scalars = bySteps.get(step) ?? {};
      scalars[tag] = Number(values[i]);
      bySteps.set(step, scalars);
    }
  }
  const watch = new HealthWatch();
  const found = new Map<string, Verdict>();
  const steps = [...bySteps.keys()].sort((a, b) => a - b);
  for (const step of steps) {
    watch.add(step, bySteps.get(step)!);
    if (!(sampleTags.contrast in bySteps.get(step)!) && step !== steps.at(-1)) continue;
    for (const verdict of watch.look().verdicts) {
      const key = `${verdict.rule} ${verdict.severity}`;
      if (!found.has(key)) found.set(key, verdict);
    }
  }
  return [...found.values()];
}
