/** Progressive distillation as a run: what it opens, and its procedure in DMD's session. */
import type { InputWork } from '../../models/input-file.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import type { SessionPlan } from '../../training/session.ts';
import type { RealImages } from '../common/real-source.ts';
import { startMatching } from '../dmd/session.ts';
import { asDmd, progressiveConfig } from './as-dmd.ts';
import { openAll } from './open.ts';
import { ProgressiveProcedure } from './procedure.ts';
import { StudentSampler } from './sampler.ts';
import { progressiveSettings } from './settings.ts';
import { stageAt, stagesOf } from './stages.ts';
import { progressiveTags } from './tags.ts';

/** Loads and checks everything the config names. Throws UserError; nothing is written. */
export async function planProgressive(given: DistillConfig, work: InputWork = {}): Promise<SessionPlan> {
  const config = progressiveConfig(given);
  const { teacher, real } = await openAll(config, work);
  const stages = stagesOf(config);
  return {
    fieldBytes: config.record.budgetMB * 1e6,
    probes: false,
    inputs: async (hashing) => ({ ...teacher.inputs, ...(await real.inputs(hashing)) }),
    dispose: () => real.close(),
    async start(context) {
      let opened: RealImages | null = null;
      const close = async () => (opened ? opened.dispose() : real.close());
      let done = () => 0;
      try {
        const session = await startMatching(
          asDmd(config),
          teacher,
          context,
          async (engine, begun, options, conditions) => {
            opened = await real.open(engine, conditions, config.batch);
            const procedure = await ProgressiveProcedure.create(engine, {
              ...{ ...begun, ...options, weight: config.loss.weight, stages, real: opened },
              // Where the teacher has no network to begin with, what a fake score begins with: nothing.
              ...{ start: options.start.fake, settings: progressiveSettings(config, stages) },
            });
            const steps = () => stageAt(stages, done()).steps;
            const shape = {
              ...begun,
              sampler: (on: typeof engine, count: number, name: string) =>
                StudentSampler.create(on, begun, { count, name, steps }),
            };
            return { shape, procedure };
          },
          progressiveTags,
        );
        done = () => session.trainer.step;
        return {
          ...session,
          inspect: undefined, // there are no scores
          async dispose() {
            await session.dispose();
            await close();
          },
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}
