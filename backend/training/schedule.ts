/** From a config to the settings of each update: learning rates and averaging. */
import type { TeachConfig } from '../protocol/config/index.ts';
import type { UpdateSettings } from './update-graph.ts';

export interface LearningRate {
  /** The rate after warm-up. */
  readonly lr: number;
  /** Iterations over which the rate rises linearly from 0; 0 none. */
  readonly warmup: number;
  readonly decay: 'none' | 'cosine' | 'linear';
}

/** The rate in iteration `step` (1 for the first) of `iterations`; decay reaches 0 in the last one. */
export function learningRate({ lr, warmup, decay }: LearningRate, step: number, iterations: number): number {
  if (step <= warmup) return lr * Math.min(1, step / warmup);
  if (decay === 'none') return lr;
  const progress = Math.min(1, (step - warmup) / (iterations - warmup));
  return decay === 'linear' ? lr * (1 - progress) : lr * (0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** The decay of the moving average in iteration `step`: small at first, so that the start is soon forgotten. */
export function emaDecay(decay: number, step: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/** The decays of the moving averages that a config asks for: none for 0, which would follow the weights exactly. */
export function emasOf(ema: number | readonly number[]): number[] {
  return [ema].flat().filter((decay) => decay > 0);
}

type OptimizerConfig = TeachConfig['optimizer'];

/** Settings of one network's update in iteration `step` (1 for the first). */
export function updateSettings(
  optimizer: OptimizerConfig,
  emas: readonly number[],
  step: number,
  iterations: number,
): UpdateSettings {
  return {
    learningRate: learningRate(optimizer, step, iterations),
    beta1: optimizer.beta1,
    beta2: optimizer.beta2,
    epsilon: optimizer.eps,
    weightDecay: optimizer.weightDecay,
    clip: optimizer.clip > 0 ? optimizer.clip : Number.POSITIVE_INFINITY,
    emaDecays: emas.map((decay) => emaDecay(decay, step)),
  };
}

/** What a person may change of an update while a run goes on, by name as a config has it. A clip of 0 is none. */
export function adjustableUpdate(
  name: string,
  { learningRate, weightDecay, clip }: UpdateSettings,
): Record<string, number> {
  return {
    [`${name}.lr`]: learningRate,
    [`${name}.weightDecay`]: weightDecay,
    [`${name}.clip`]: Number.isFinite(clip) ? clip : 0,
  };
}

/** The settings with what holds in place of some of those. */
export function adjustedUpdate(
  name: string,
  settings: UpdateSettings,
  overrides: ReadonlyMap<string, number>,
): UpdateSettings {
  const of = (key: string) => overrides.get(`${name}.${key}`);
  const clip = of('clip') ?? settings.clip;
  return {
    ...settings,
    learningRate: of('lr') ?? settings.learningRate,
    weightDecay: of('weightDecay') ?? settings.weightDecay,
    clip: clip > 0 ? clip : Number.POSITIVE_INFINITY,
  };
}

/** Settings by iteration of a training with one optimizer. */
export function updateSettingsOf({
  optimizer,
  ema,
  iterations,
}: Pick<TeachConfig, 'optimizer' | 'ema' | 'iterations'>): (step: number) => UpdateSettings {
  const emas = emasOf(ema);
  return (step) => updateSettings(optimizer, emas, step, iterations);
}
