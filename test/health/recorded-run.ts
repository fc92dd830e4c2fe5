/** A run's numbers as a fixture: curves by tag, in four significant digits. */
import { gunzipSync, gzipSync } from 'node:zlib';

/** tag -> [steps, values]; a value that is not finite is its name. */
export type RecordedRun = Record<string, [number[], (number | string)[]]>;

/** Curves that have every iteration are kept at every fourth; those that only follow a schedule, not at all. */
const kept = (step: number, tag: string) => tag.startsWith('vitals/') || (step % 4 === 0 && !schedule.test(tag));
const schedule = /^(rate|level)[/]|^lambda$/;

export class RunRecording {
  readonly curves: RecordedRun = {};

  add(step: number, { scalars = {} }: { readonly scalars?: Readonly<Record<string, number>> }): void {
    for (const [tag, value] of Object.entries(scalars)) {
      if (!kept(step, tag) && Number.isFinite(value)) continue;
      this.curves[tag] ??= [[], []];
      const [steps, values] = this.curves[tag]!;
      steps.push(step);
      values.push(Number.isFinite(value) ? Number(value.toPrecision(4)) : String(value));
    }
  }
}

export const packRuns = (runs: Readonly<Record<string, RecordedRun>>): Buffer =>
  gzipSync(JSON.stringify(runs), { level: 9 });
export const unpackRuns = (bytes: Buffer): Record<string, RecordedRun> => JSON.parse(gunzipSync(bytes).toString());
