/** From a config and its teacher to what graphs are built of. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { Distance } from '../common/distance.ts';
import type { DistillTeacher } from '../common/teacher.ts';
import type { DmdShape } from './graphs.ts';

/** @param distance null leaves the regression out */
export function shapeOf(
  { matching, regression, batch, precision }: DistillConfig,
  { model, student = model, generator, fake, pairsMatch, guidance }: DistillTeacher,
  distance: Distance | null,
  halfTeacher: boolean,
): DmdShape {
  return {
    ...{ teacher: model, student, generator, fake, batch, pairsMatch, guidance, halfTeacher, computes: precision },
    matching: matching.enabled ? { weight: matching.weight, realOnly: matching.realOnly } : null,
    regression: distance && { batch: regression.batch ?? batch, distance },
  };
}
