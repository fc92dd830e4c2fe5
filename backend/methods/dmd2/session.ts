/** DMD2 as a run: what it opens, and its procedure in DMD's session. */
import { initialParameters } from '../../graph/parameters.ts';
import type { InputWork } from '../../models/input-file.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import type { SessionPlan } from '../../training/session.ts';
import { laterSteps } from '../common/later-steps.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { openRealImages } from '../common/real-images.ts';
import type { RealImages } from '../common/real-source.ts';
import { startMatching } from '../dmd/session.ts';
import { asDmd, dmd2Config } from './as-dmd.ts';
import { Dmd2Procedure } from './procedure.ts';
import { dmd2Settings } from './settings.ts';
import { dmd2ShapeOf, needsReal, orElse } from './shape.ts';
import { dmd2Tags } from './tags.ts';

/** Loads and checks everything the config names. Throws UserError; nothing is written. */
export async function planDmd2(given: DistillConfig, work: InputWork = {}): Promise<SessionPlan> {
  const config = dmd2Config(given);
  const own = asDmd(config);
  const teacher = await openTeacher(own, work);
  laterSteps(config.steps.at, teacher.student ?? teacher.model);
  const real = needsReal(config) ? await openRealImages(config, teacher, orElse) : null;
  const close = async () => real?.close();
  return {
    // Fields and probe share the budget evenly.
    fieldBytes: (config.record.budgetMB * 1e6) / 2,
    probes: true,
    inputs: async (hashing) => ({ ...teacher.inputs, ...(await real?.inputs(hashing)) }),
    dispose: close,
    async start(context) {
      let opened: RealImages | null = null;
      const closeAll = async () => (opened ? opened.dispose() : close());
      try {
        const session = await startMatching(
          own,
          teacher,
          context,
          async (engine, begun, options, conditions) => {
            const shape = dmd2ShapeOf(config, begun);
            opened = real && (await real.open(engine, conditions, config.batch));
            const random = stream(config.seed, 'distill', 'discriminator');
            const discriminator = shape.gan && initialParameters(shape.gan.head.layout, random);
            const procedure = await Dmd2Procedure.create(engine, {
              ...{ ...shape, ...options, real: opened, from: config.steps.from, settings: dmd2Settings(config) },
              ...{ start: { ...options.start, discriminator }, fakeUpdates: config.fake.updatesPerStep },
            });
            return { shape, procedure };
          },
          dmd2Tags,
        );
        return {
          ...session,
          async dispose() {
            await session.dispose();
            await closeAll();
          },
        };
      } catch (error) {
        await closeAll();
        throw error;
      }
    },
  };
}
