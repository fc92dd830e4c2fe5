/** A dry run of progressive distillation: its last stage but for a teacher of its own, with real images of no meaning. */
import type { Engine } from '../../engine/engine.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { type DryRun, type Limits, randomTensor } from '../common/dry-run.ts';
import { matchingDryRun } from '../dmd/dry-run.ts';
import { asDmd, progressiveConfig } from './as-dmd.ts';
import { hasOwnTeacher, type ProgressiveShape, progressiveGraph } from './graphs.ts';
import { openAll } from './open.ts';
import { ProgressiveProcedure } from './procedure.ts';
import { progressiveSettings } from './settings.ts';
import { stagesOf } from './stages.ts';

/** Throws UserError for what the run itself would refuse. */
export async function progressiveDryRun(engine: Engine, given: DistillConfig, limits: Limits): Promise<DryRun> {
  const config = progressiveConfig(given);
  const { real } = await openAll(config);
  await real.close();
  const stages = stagesOf(config);
  return matchingDryRun<ProgressiveShape>(engine, asDmd(config), limits, {
    shapeOf: (shape) => ({ ...shape, weight: config.loss.weight }),
    graphs: (shape) => [[progressiveGraph(shape, hasOwnTeacher(shape)), 1]],
    otherParameters: () => ({}),
    // The teacher, old and new.
    numbersBeside: ({ generator }) => 2 * generator.layout.size,
    create: (shape, options) =>
      ProgressiveProcedure.create(engine, {
        ...{ ...shape, ...options, stages, start: options.start.fake },
        real: {
          batch: async (_, count) => ({
            x: randomTensor([count, ...shape.student.shape]),
            conditions: await options.conditions.feeds(options.conditions.inTurn(count)),
          }),
        },
        settings: progressiveSettings(config, stages, options.emas),
      }),
  });
}
