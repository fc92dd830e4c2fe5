/**
 * How a text-to-image model is called: as a teacher, by a sampler in many steps, or as a generator, once. `dmd.json` in the
 * model folder says so; for folders without one it follows from what is known of published models.
 */

import { z } from 'zod';
import type { PredictionType } from '../../diffusion/vp/index.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import { most } from '../../protocol/network-bounds.ts';
import { type OneStepPrediction, oneStepPredictions } from '../../protocol/one-step.ts';
import type { DiffusersFolder, JsonObject } from '../../weights/diffusers/index.ts';

const schema = z.object({
  /** Folder, relative to this one, of the model that has all components which are missing here. */
  base: z.string().optional(),
  role: z.enum(['teacher', 'generator']).default('generator'),
  /** Timestep that a generator is called at; the last of the base's schedule where it is left out. */
  timestep: z.number().min(0).max(most.timesteps).optional(),
  /** Lower timesteps, descending, at which a few-step generator is called again on its own image with noise. */
  again: z.array(z.int().min(0).max(most.timesteps)).readonly().optional(),
  /** Default: the scheduler's prediction_type. */
  prediction: z.enum(oneStepPredictions).optional(),
  /** Steps and guidance of a teacher where nothing else is asked for. */
  steps: z.int().min(1).max(most.timesteps).optional(),
  guidance: z.number().optional(),
});

/** What dmd.json may hold. */
export type DmdInfo = z.input<typeof schema>;

/** A generator: what it predicts at which timestep. */
export interface OneStep {
  readonly timestep: number;
  /** Lower ones, descending, of a few-step generator; [] for one step. */
  readonly again: readonly number[];
  readonly prediction: OneStepPrediction;
}

export interface Calling {
  /** Null for a teacher. */
  readonly oneStep: OneStep | null;
  /** Steps where none are asked for. */
  readonly steps: number;
  /** Guidance scale where none is asked for; 1 is none. */
  readonly guidance: number;
}

/**
 * @param schedulerConfig scheduler_config.json
 * @param lastTimestep of its schedule
 * @throws UserError('weights') that names the key of dmd.json which is wrong
 */
export function callingOf(
  { path, pipeline, dmd }: DiffusersFolder,
  schedulerConfig: JsonObject,
  prediction: PredictionType,
  lastTimestep: number,
): Calling {
  if (Object.keys(dmd).length > 0) {
    const info = parse(dmd, path);
    if (info.role === 'teacher') return { oneStep: null, steps: info.steps ?? 50, guidance: info.guidance ?? 7.5 };
    const { timestep = lastTimestep, again = [] } = info;
    if (again.some((t, i) => t >= (i === 0 ? timestep : again[i - 1]!))) {
      const message = `${path}: dmd.json: again: must be timesteps that descend from below ${timestep}`;
      throw new UserError('weights', message, 'Take the folder as dmd distill wrote it.');
    }
    const oneStep = { timestep, again, prediction: info.prediction ?? prediction };
    return { oneStep, steps: 1 + again.length, guidance: 1 };
  }
  // InstaFlow's networks count time from 1000 (noise) down to 0 and predict dx/dt.
  if (pipeline === 'RectifiedFlowPipeline') {
    return { oneStep: { timestep: lastTimestep + 1, again: [], prediction: 'velocity' }, steps: 1, guidance: 1 };
  }
  return { oneStep: null, ...usualSteps(schedulerConfig, prediction) };
}

/**
 * Distilled models say what they are by their scheduler: latent consistency has its own; SD-Turbo's trails, but so do samplers of
 * models that were taught to begin in pure noise, which predict v.
 */
function usualSteps(config: JsonObject, prediction: PredictionType): { steps: number; guidance: number } {
  const { _class_name: name, timestep_spacing: spacing, rescale_betas_zero_snr: zeroSnr } = config;
  if (name === 'LCMScheduler') return { steps: 4, guidance: 1 };
  const isTurbo = name === 'EulerDiscreteScheduler' && spacing === 'trailing' && prediction === 'epsilon' && !zeroSnr;
  return isTurbo ? { steps: 1, guidance: 1 } : { steps: 50, guidance: 7.5 };
}

function parse(dmd: JsonObject, path: string): z.output<typeof schema> {
  const result = safeParse(schema, dmd);
  if (result.success) return result.data;
  const [{ path: key, message }] = result.error.issues as [z.core.$ZodIssue];
  throw new UserError(
    'weights',
    `${path}: dmd.json: ${key.join('.')}: ${message}`,
    'Correct it or import the model again.',
  );
}
