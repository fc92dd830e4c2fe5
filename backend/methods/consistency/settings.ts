/** From a config to the settings of each iteration: learning rate, averaging, the target's decay. */
import type { DistillConfig } from '../../protocol/config/index.ts';
import { adjustableUpdate, adjustedUpdate, emasOf, updateSettings } from '../../training/schedule.ts';
import type { Adjustable } from '../../training/trainer.ts';
import type { UpdateSettings } from '../../training/update-graph.ts';
import type { GuidanceRange } from './draws.ts';

/** What may change from step to step. */
export interface ConsistencySettings {
  readonly generator: UpdateSettings;
  /** Decay of the target in this update; without a target it means nothing. */
  readonly targetDecay: number;
  readonly guidance: GuidanceRange;
}

interface Trained extends Pick<DistillConfig, 'iterations'> {
  readonly generator: Omit<DistillConfig['generator'], 'rest' | 'sigma'>;
  readonly target: { readonly decay: number };
}

/** @param guidance of the teacher; [1, 1] none */
export function consistencySettings(
  { generator, iterations, target }: Trained,
  guidance: GuidanceRange = [1, 1],
): (step: number) => ConsistencySettings {
  const emas = emasOf(generator.ema);
  return (step) => ({
    generator: updateSettings(generator, emas, step, iterations),
    targetDecay: target.decay,
    guidance,
  });
}

const decayKey = 'target.decay';
const guidanceKeys = ['guidance.low', 'guidance.high'] as const;

/** The settings that a person may change while a run goes on. */
export function adjustableOf(
  has: { readonly target: boolean; readonly guidance: boolean },
  settings: (step: number) => ConsistencySettings,
): Adjustable {
  return {
    natural(step) {
      const { generator, targetDecay, guidance } = settings(step);
      return {
        ...adjustableUpdate('generator', generator),
        ...(has.target ? { [decayKey]: targetDecay } : {}),
        ...(has.guidance ? Object.fromEntries(guidanceKeys.map((key, i) => [key, guidance[i]!])) : {}),
      };
    },
    overrides: new Map(),
  };
}

/** The settings with what holds in place of some of them; a decay stays within 0 and 1. */
export function adjusted({ overrides }: Adjustable, settings: ConsistencySettings): ConsistencySettings {
  const [low, high] = guidanceKeys.map((key, i) => overrides.get(key) ?? settings.guidance[i]!);
  return {
    generator: adjustedUpdate('generator', settings.generator, overrides),
    targetDecay: Math.min(1, Math.max(0, overrides.get(decayKey) ?? settings.targetDecay)),
    guidance: [low!, high!],
  };
}
