/** From a config to the parts of latent consistency distillation: its teachers, the timesteps of its path, its losses. */
import type { Tensor } from '../../graph/graph.ts';
import { add, mean, sqrt, square, sub } from '../../graph/ops/index.ts';
import { skippedAt, timestepBoundary } from '../../models/consistency.ts';
import { isTextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { type Distance, l2Distance } from '../common/distance.ts';
import { laterSteps } from '../common/later-steps.ts';
import { withoutScores } from '../consistency/as-dmd.ts';
import type { GuidanceRange } from '../consistency/draws.ts';
import type { PathStep } from '../consistency/graphs.ts';
import type { ConsistencyMethod } from '../consistency/run.ts';
import { consistencySettings } from '../consistency/settings.ts';
import type { LcmKeys } from './config.ts';

export type LcmConfig = Omit<
  DistillConfig,
  keyof LcmKeys | 'fake' | 'matching' | 'regression' | 'schedules' | 'method'
> &
  LcmKeys;

/** `given` is checked by the section's own schema, so that its keys are there. */
export const lcmConfig = (given: DistillConfig) => given as unknown as LcmConfig;

/** Scales of guidance that samples draw from. */
export const guidanceOf = ({ guidance, text }: LcmConfig): GuidanceRange => guidance ?? [text.guidance, text.guidance];

export function lcmMethod(config: LcmConfig): ConsistencyMethod {
  const { generator, record, steps, skip, guidance: _range, timestepScaling, loss, target, data, ...common } = config;
  const guidance = guidanceOf(config);
  return {
    own: withoutScores(common, { generator, record }),
    real: { ...config, data: { ...data, mirror: false } },
    probeEvery: record.probeEvery,
    settings: consistencySettings(config, guidance),
    requireKind() {
      if (!config.mixture && isTextTeacher(config.teacher)) return;
      const message = `teacher: ${config.teacher} is no text-to-image model`;
      throw new UserError(
        'config',
        message,
        'Name a diffusers folder, or set method to "consistency", which is for EDM networks.',
      );
    },
    keyOf: () => 'teacher',
    async open({ model }) {
      const path = pathOf(model.levels.count, skip);
      const again = laterSteps(steps.at, model);
      requireTrained(path, steps.at, skip);
      requireNegligible([model.calledAt.t, ...steps.at], timestepScaling);
      return {
        inputs: {},
        shapeOf: (begun) => ({
          ...begun,
          ...{ solver: 'euler', distance: distanceOf(loss), target: target.decay > 0, steps: path },
          guidance: guidance[1],
          student: {
            ...begun.student,
            boundary: timestepBoundary(timestepScaling),
            ...(again.length > 0 ? { calledAgain: again } : {}),
          },
        }),
      };
    },
  };
}

/** From the last timestep down in steps of `skip`, the lowest one to 0; ascending. Throws UserError('config') for a skip beyond them all. */
export function pathOf(timesteps: number, skip: number): PathStep[] {
  const path: PathStep[] = [];
  for (let from = timesteps - 1; from > 0; from -= skip) path.unshift({ from, to: Math.max(0, from - skip) });
  if (skip < timesteps) return path;
  throw new UserError('config', `skip: the teacher has ${timesteps} timesteps`, `Set it to less than ${timesteps}.`);
}

function requireTrained(path: readonly PathStep[], at: readonly number[], skip: number): void {
  const unknown = at.find((timestep) => !path.some(({ from }) => from === timestep));
  if (unknown === undefined) return;
  const [first, second] = path.map(({ from }) => from);
  const trained = `${first}, ${second ?? first} and so on in steps of ${skip} up to ${path.at(-1)!.from}`;
  const message = `steps.at: ${unknown} is no timestep that this generator is trained at`;
  throw new UserError('config', message, `Those are ${trained}.`);
}

/** A folder of a model says nothing of a boundary condition: at the timesteps that it is sampled at it must come to nothing. */
function requireNegligible([last, ...again]: readonly number[], scaling: number): void {
  const refuse = (key: string, timestep: number) => {
    const share = Number((100 * skippedAt(timestep, scaling)).toPrecision(2));
    const message = `${key}: at timestep ${timestep} the boundary condition returns ${share} % of what it is given, which no program that samples knows of`;
    throw new UserError('config', message, 'Raise timestepScaling, or call it at higher timesteps.');
  };
  if (skippedAt(last!, scaling) > negligible) refuse('timestepScaling', last!);
  const low = again.find((timestep) => skippedAt(timestep, scaling) > negligible);
  if (low !== undefined) refuse('steps.at', low);
}

/** Below what 8 bits of a picture show. */
const negligible = 1e-3;

function distanceOf({ distance, huberC }: LcmKeys['loss']): Distance {
  return distance === 'l2' ? l2Distance : huberDistance(huberC);
}

/** Mean of sqrt((a - b)^2 + c^2) - c over everything. */
export const huberDistance =
  (c: number): Distance =>
  (a: Tensor, b: Tensor) =>
    mean(sub(sqrt(add(square(sub(a, b)), c * c)), c));
