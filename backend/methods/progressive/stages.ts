/**
 * The stages of progressive distillation (Salimans & Ho 2022, arXiv 2202.00512, Algorithm 2) on EDM's levels: one Karras ladder for the
 * first stage's teacher, ending at 0, of which every student takes every second step of its teacher's.
 */
import { karrasSteps } from '../../diffusion/karras.ts';
import type { DiffusionModel, LevelPoint } from '../../models/diffusion-model.ts';
import type { ProgressiveConfig } from './as-dmd.ts';

/** One step of a student, and where its teacher's two steps meet. */
export interface Step {
  /** Noise levels: where it begins, the teacher's in between, where it ends (0 for the last). */
  readonly at: number;
  readonly middle: number;
  readonly next: number;
}

export interface Stage {
  /** The student's, noisiest first. */
  readonly steps: readonly Step[];
  /** Iterations from `first` (1 for the very first) to `last`, inclusive. */
  readonly first: number;
  readonly last: number;
}

type Staged = Pick<ProgressiveConfig, 'stages' | 'levels' | 'iterations'>;

/** All of them, also those that a run of fewer iterations does not come to. */
export function stagesOf({ stages: { steps, iterations: each }, levels, iterations }: Staged): Stage[] {
  const finest = 2 * steps[0]!;
  // Rounding aside: the first call's level is named in the config too.
  const ladder = [levels.sigmaMax, ...karrasSteps(finest, levels).slice(1), 0];
  let first = 1;
  return steps.map((count, i): Stage => {
    const length = typeof each === 'number' ? each : each[i]!;
    const last = i === steps.length - 1 ? Math.max(first, iterations) : first + length - 1;
    const stride = finest / count;
    const own = Array.from({ length: count }, (_, k): Step => {
      const at = k * stride;
      return { at: ladder[at]!, middle: ladder[at + stride / 2]!, next: ladder[at + stride]! };
    });
    const stage = { steps: own, first, last };
    first = last + 1;
    return stage;
  });
}

/** The stage of iteration `step`; before the first iteration that one's. */
export function stageAt(stages: readonly Stage[], step: number): Stage {
  return stages.find(({ last }) => step <= last) ?? stages.at(-1)!;
}

export const pointOf = (sigma: number): LevelPoint => ({ t: sigma, alpha: 1, sigma });

/** The model as a student of that stage is called. */
export function studentOf(model: DiffusionModel, { steps }: Stage): DiffusionModel {
  if (steps.length === 1) return model;
  return { ...model, calledAgain: steps.slice(1).map(({ at }) => pointOf(at)), deterministic: true };
}
