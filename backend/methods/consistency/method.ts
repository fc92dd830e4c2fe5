/** From a config to the parts of consistency distillation: which teachers it takes, their path, the distance. */
import { edmBoundary } from '../../models/consistency.ts';
import { isTextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { distanceKeyOf, distanceOf } from '../common/distance.ts';
import { laterSteps } from '../common/later-steps.ts';
import { withoutScores } from './as-dmd.ts';
import type { ConsistencyKeys } from './config.ts';
import type { ConsistencyMethod } from './run.ts';
import { consistencySettings } from './settings.ts';

export type ConsistencyConfig = Omit<
  DistillConfig,
  keyof ConsistencyKeys | 'fake' | 'matching' | 'regression' | 'schedules' | 'method'
> &
  ConsistencyKeys;

/** `given` is checked by the section's own schema, so that its keys are there. */
export const consistencyConfig = (given: DistillConfig) => given as unknown as ConsistencyConfig;

export function consistencyMethod(config: ConsistencyConfig): ConsistencyMethod {
  const { generator, record, steps, levels, solver, loss, target, data: _, ...common } = config;
  return {
    own: withoutScores(common, { generator, record }, levels),
    real: config,
    probeEvery: record.probeEvery,
    settings: consistencySettings(config),
    requireKind() {
      if (config.mixture || !isTextTeacher(config.teacher)) return;
      const message = `teacher: ${config.teacher} is a text-to-image model, whose noise levels are timesteps`;
      throw new UserError('config', message, 'Set method to "lcm", which is for these, or name an EDM network.');
    },
    keyOf: distanceKeyOf(loss, 'loss'),
    async open({ path, model, student = model, sigmaData = 0.5 }) {
      const again = laterSteps(steps.at, student);
      const { distance, inputs } = await distanceOf(loss, { imageShape: student.shape, path }, 'loss');
      return {
        inputs,
        shapeOf: (begun) => ({
          ...begun,
          ...{ solver, distance, target: target.decay > 0 },
          steps: Array.from({ length: levels.count - 1 }, (_step, i) => ({ from: i + 1, to: i })),
          student: {
            ...begun.student,
            boundary: edmBoundary(levels.sigmaMin, sigmaData),
            ...(again.length > 0 ? { calledAgain: again } : {}),
          },
        }),
      };
    },
  };
}
