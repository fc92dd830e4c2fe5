/** A dry run of DMD2: as DMD's, with real images of no meaning. */
import type { Engine } from '../../engine/engine.ts';
import { initialParameters } from '../../graph/parameters.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import { type DryRun, type Limits, randomTensor } from '../common/dry-run.ts';
import { laterSteps } from '../common/later-steps.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { openRealImages } from '../common/real-images.ts';
import { matchingDryRun } from '../dmd/dry-run.ts';
import { asDmd, dmd2Config } from './as-dmd.ts';
import { type Dmd2Shape, discriminatorGraph, generatorGraph } from './graphs.ts';
import { Dmd2Procedure } from './procedure.ts';
import { dmd2Settings } from './settings.ts';
import { dmd2ShapeOf, needsReal, orElse } from './shape.ts';

/** Throws UserError for what the run itself would refuse. */
export async function dmd2DryRun(engine: Engine, given: DistillConfig, limits: Limits): Promise<DryRun> {
  const config = dmd2Config(given);
  const own = asDmd(config);
  const { updatesPerStep: fakeUpdates } = config.fake;
  const teacher = await openTeacher(own);
  laterSteps(config.steps.at, teacher.student ?? teacher.model);
  if (needsReal(config)) await (await openRealImages(config, teacher, orElse)).close();
  return matchingDryRun<Dmd2Shape>(engine, own, limits, {
    shapeOf: (shape) => dmd2ShapeOf(config, shape),
    graphs: (shape) => [
      [generatorGraph(shape), 1],
      [discriminatorGraph(shape), fakeUpdates],
    ],
    otherParameters: ({ gan }): Record<string, number> => (gan ? { discriminator: gan.head.layout.size } : {}),
    create(shape, options) {
      const { conditions } = options;
      const discriminator = shape.gan && initialParameters(shape.gan.head.layout, stream(0, 'plan', 'discriminator'));
      return Dmd2Procedure.create(engine, {
        ...{ ...shape, ...options, fakeUpdates, from: config.steps.from, start: { ...options.start, discriminator } },
        real: {
          batch: async (_, count) => ({
            x: randomTensor([count, ...shape.student.shape]),
            conditions: await conditions.feeds(conditions.inTurn(count)),
          }),
        },
        settings(step) {
          const settings = dmd2Settings(config)(step);
          return { ...settings, generator: { ...settings.generator, emaDecays: options.emas } };
        },
      });
    },
  });
}
