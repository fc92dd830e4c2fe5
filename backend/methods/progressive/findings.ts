/** What is wrong with what a config of this method names: DMD's findings, real images that do not fit, and stages that are never reached. */
import type { loadTeacher } from '../../models/teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { described } from '../common/described.ts';
import { type Finding, guarded } from '../common/finding.ts';
import { openRealImages } from '../common/real-images.ts';
import { dmdFindings } from '../dmd/findings.ts';
import { asDmd, type ProgressiveConfig, progressiveConfig } from './as-dmd.ts';
import { requireEdm } from './open.ts';
import { stageAt, stagesOf } from './stages.ts';

/** @param openEdm opens a teacher of images */
export async function progressiveFindings(given: DistillConfig, openEdm: typeof loadTeacher): Promise<Finding[]> {
  const config = progressiveConfig(given);
  const refused: Finding[] = [];
  await guarded(
    refused,
    () => 'teacher',
    async () => requireEdm(config),
  );
  if (refused.length > 0) return refused;
  const own = asDmd(config);
  const found = await dmdFindings(own, openEdm);
  if (found.some(({ severity }) => severity === 'error')) return found;
  const keyOf = (message: string) => /^([a-z][\w.]*):/.exec(message)?.[1] ?? 'data.source';
  await guarded(found, keyOf, async () => {
    const teacher = await described(own, openEdm);
    await (await openRealImages(config, teacher)).close();
  });
  return [...found, ...unreached(config)];
}

/** The run is sound, and perhaps meant so. */
function unreached(config: ProgressiveConfig): Finding[] {
  const stages = stagesOf(config);
  const [reached, last] = [stageAt(stages, config.iterations), stages.at(-1)!];
  if (reached === last && last.first <= config.iterations) return [];
  const message =
    `The run ends with a student of ${reached.steps.length} steps: that of ${last.steps.length} begins after iteration ` +
    `${last.first - 1}, and iterations is ${config.iterations}.`;
  return [{ key: 'stages.iterations', severity: 'warning', message }];
}
