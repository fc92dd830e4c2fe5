/** A small run with everything recorded, made in place, and its numbers as the run folder has them. */
import path from 'node:path';
import { readHistory } from '../../../backend/runs/events/history.ts';
import { readFields } from '../../../backend/runs/fields/fields.ts';
import { runPaths } from '../../../backend/runs/folder/run-folder.ts';
import { distillConfig, runHere, scratch, tinyTeacher } from '../../unit/training/tiny.ts';

export const levels = [200, 600];
export const iterations = 12;

export interface RecordedRun {
  readonly folder: string;
  /** Tag -> step -> value. */
  curve(tag: string): Map<number, number>;
  /** A number of the probe. */
  probe(step: number, name: string, index: readonly number[]): number;
}

/** Samples at 0, 5, 10, 12; the probe at 0, 4, 8, 12; training fields at 6, 12. */
export async function recordRun(name = 'tiny', change: Record<string, unknown> = {}): Promise<RecordedRun> {
  const root = scratch();
  const config = distillConfig(await tinyTeacher(root), {
    name,
    iterations,
    record: { samplesEvery: 5, samples: 4, fieldsEvery: 6, probeEvery: 4, probe: { count: 3, levels } },
    ...change,
  });
  const { folder, last } = await runHere({ config, root: path.join(root, 'runs') });
  if (last.type !== 'ended') throw new Error(`the run did not end: ${JSON.stringify(last)}`);
  return read(folder);
}

function read(folder: string): RecordedRun {
  const paths = runPaths(folder);
  const { history } = readHistory(paths.events);
  return {
    folder,
    curve: (tag) => new Map(history.points('scalar', tag).map(({ step, value }) => [step, value.value])),
    probe(step, name, index) {
      const tensor = readFields(paths.fields, 'probe', step).tensors.get(name);
      if (!tensor) throw new Error(`no ${name} at step ${step}`);
      const at = index.reduce((flat, i, axis) => flat * tensor.shape[axis]! + i, 0);
      return tensor.data[at]!;
    },
  };
}
