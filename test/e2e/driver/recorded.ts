/** The numbers that a run wrote, read from its folder without the backend that the editor talks to. */
import { readHistory } from '../../../backend/runs/events/history.ts';
import { listFields, readFields } from '../../../backend/runs/fields/fields.ts';
import { listRuns, type RunSummary, readRun, runPaths } from '../../../backend/runs/folder/run-folder.ts';
import { until } from './until.ts';

/** The only run in a folder of runs, once there is one: its folder. */
export async function theRun(root: string): Promise<string> {
  const [run, ...more] = await until(`a run in ${root}`, () => {
    const runs = listRuns(root);
    return runs.length > 0 && runs;
  });
  if (more.length > 0) throw new Error(`there are ${more.length + 1} runs in ${root}`);
  return run!.paths.folder;
}

/** Waits until what the run says of itself is so. */
export function untilRun(folder: string, what: string, is: (run: RunSummary) => boolean, seconds = 120) {
  return until(`${folder} to be ${what}`, () => is(readRun(folder)), seconds);
}

/** A curve as recorded: step -> value. */
export function curve(folder: string, tag: string): Map<number, number> {
  const points = readHistory(runPaths(folder).events).history.points('scalar', tag);
  return new Map(points.map(({ step, value }) => [step, value.value]));
}

/** The steps with a recorded probe, ascending. */
export function probeSteps(folder: string): number[] {
  return listFields(runPaths(folder).fields, 'probe').map(({ step }) => step);
}

/** One number of a step's probe, e.g. `grad` at [level, image, channel, y, x]. */
export function probeValue(folder: string, step: number, name: string, index: readonly number[]): number {
  const tensor = readFields(runPaths(folder).fields, 'probe', step).tensors.get(name);
  if (!tensor) throw new Error(`step ${step} has no ${name}`);
  const at = tensor.shape.reduce((offset, length, axis) => offset * length + index[axis]!, 0);
  const value = tensor.data[at];
  if (value === undefined) throw new Error(`${name} has no ${index}`);
  return value;
}
