/** The generator that a checkpoint holds, by any of its averages, written as the model that a run ends with. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { emasOf } from '../../training/schedule.ts';
import { averageNames } from '../../training/update-graph.ts';
import type { StoredArrays } from '../../weights/array-source.ts';
import type { SavedState, SavedTarget } from '../method.ts';
import { openTeacher } from './open-teacher.ts';
import type { DistillTeacher, StudentCalls } from './teacher.ts';

/**
 * @param called how it is called, where that is not once
 * @returns the path. Throws UserError: 'usage' for an average that is not kept, 'data' for a state of another network, 'io'
 */
export async function writeSavedStudent(
  config: DistillConfig,
  { files, step, average }: SavedState,
  { folder, name, half }: SavedTarget,
  called: (teacher: DistillTeacher) => StudentCalls = () => ({ again: [], boundary: null }),
): Promise<string> {
  const buffer = bufferOf(config, average);
  const teacher = await openTeacher(config);
  const { layout } = teacher.generator;
  const stored = files.get('generator');
  const flats: Float32Array[] = [];
  for (const { start, size } of layout.chunks) {
    if (stored?.shape(buffer)?.[0] !== layout.size) throw notFitting(stored, buffer, layout.size);
    flats.push(await stored.read(buffer, start, start + size));
  }
  const weights = teacher.generator.merged(await teacher.readWeights(), flats);
  return teacher.writeStudent(folder, name, weights, step, half, called(teacher));
}

function bufferOf({ generator }: DistillConfig, average: number | undefined): string {
  const kept = emasOf(generator.ema);
  if (average === undefined) return averageNames(kept)[0] ?? 'parameters';
  const i = kept.indexOf(average);
  if (i >= 0) return averageNames(kept)[i]!;
  const hint = kept.length > 0 ? `It keeps ${kept.join(', ')} (generator.ema).` : 'It keeps none (generator.ema).';
  throw new UserError('usage', `the run keeps no average of decay ${average}`, hint);
}

function notFitting(stored: StoredArrays | undefined, buffer: string, size: number): UserError {
  const found = stored?.shape(buffer)?.[0];
  const what = found === undefined ? `has no '${buffer}'` : `has ${found} numbers in '${buffer}' instead of ${size}`;
  return new UserError('data', `the checkpoint's generator ${what}`, 'Choose another checkpoint, or another average.');
}
