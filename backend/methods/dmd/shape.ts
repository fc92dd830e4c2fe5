/** From a config and its teacher to what graphs are built of. */
import type { Engine } from '../../engine/engine.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
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

/** Throws UserError('device') where the device does not compute in what the config says. */
export async function requirePrecision({ precision }: DistillConfig, engine: Engine): Promise<void> {
  if (precision !== 'float16' || (await engine.capabilities()).computes.includes('float16')) return;
  const hint = 'Set precision to "float32", or take a device that does; docs/devices.md says which were tried.';
  throw new UserError('device', `${engine.device} does not compute in float16, as precision asks`, hint);
}
