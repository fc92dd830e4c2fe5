/** From a config to the settings of each update: learning rate and averaging by stage, and what becomes of the teacher. */
import { emasOf, updateSettings } from '../../training/schedule.ts';
import type { UpdateSettings } from '../../training/update-graph.ts';
import type { ProgressiveConfig } from './as-dmd.ts';
import { type Stage, stageAt } from './stages.ts';

/**
 * Settings by iteration. Each stage has warm-up, decay and averages of its own, and begins its optimizer anew. The decay of the target, which
 * is the stage's teacher, comes last: 1 holds it; 0 in a stage's last update makes it the student.
 */
export function progressiveSettings(
  { generator }: Pick<ProgressiveConfig, 'generator'>,
  stages: readonly Stage[],
  emas: readonly number[] = emasOf(generator.ema),
): (step: number) => UpdateSettings {
  return (step) => {
    const stage = stageAt(stages, step);
    const own = step - stage.first + 1;
    const settings = updateSettings(generator, emas, own, stage.last - stage.first + 1);
    const passesOn = step === stage.last && stage !== stages.at(-1);
    return {
      ...settings,
      emaDecays: [...settings.emaDecays, passesOn ? 0 : 1],
      fresh: step === stage.first && stage.first > 1,
    };
  };
}
