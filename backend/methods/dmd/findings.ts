/** What is wrong with what a config of this method names: files that are missing, damaged, or do not go together. */
import { openPairs } from '../../data/pairs.ts';
import type { loadTeacher } from '../../models/teacher.ts';
import { isTextTeacher, openTextTeacher } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { openDecoder } from '../common/decoder.ts';
import { distanceKeyOf, openDistance } from '../common/distance.ts';
import { type Finding, guarded } from '../common/finding.ts';
import { initialKey } from '../common/initial.ts';
import { openLatentPairs } from '../common/latent-pairs.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { readPrompts } from '../common/prompts.ts';

/** @param openEdm opens a teacher of images */
export async function dmdFindings(config: DistillConfig, openEdm: typeof loadTeacher): Promise<Finding[]> {
  const found = await filesFindings(config, openEdm);
  if (config.generator.initial === undefined || found.some(({ severity }) => severity === 'error')) return found;
  await guarded(
    found,
    () => initialKey,
    () => openTeacher(config),
  );
  return found;
}

async function filesFindings(config: DistillConfig, openEdm: typeof loadTeacher): Promise<Finding[]> {
  if (config.mixture) return mixtureFindings(config);
  if (isTextTeacher(config.teacher)) return latentFindings(config);
  const found: Finding[] = [];
  const note = (key: string, severity: Finding['severity'], message: string) => found.push({ key, severity, message });
  const teacher = await guarded(
    found,
    () => 'teacher',
    () => openEdm(config.teacher, { network: config.network }),
  );
  const { enabled, pairs } = config.regression;
  if (!teacher) return found;
  const { network, role, sha256 } = teacher;
  if (role === 'generator') note('teacher', 'warning', 'This is a one-step generator, not a many-step teacher.');
  if (config.labels === 'none' && network.labelDim === 0) {
    note('labels', 'error', 'The teacher has no classes that could be left out. Remove this key.');
  }
  if (!enabled) return found;
  await guarded(found, distanceKeyOf(config.regression, 'regression'), () =>
    openDistance(config, { imageShape: network.imageShape, path: teacher.path }),
  );
  if (pairs.path === undefined) return found;
  const key = 'regression.pairs.path';
  const set = await guarded(
    found,
    () => key,
    () => openPairs(pairs.path!, { shape: [...network.imageShape], labelDim: network.labelDim }),
  );
  if (!set) return found;
  if (typeof set.config.teacher === 'string' && set.config.teacher !== sha256) {
    note(key, 'warning', 'These pairs were made by another teacher.');
  }
  if (set.count < pairs.count) {
    note('regression.pairs.count', 'warning', `The folder has ${set.count} pairs: no more will be used.`);
  }
  return found;
}

/** A mixture is opened in no time, by the run's own code. */
async function mixtureFindings(config: DistillConfig): Promise<Finding[]> {
  const found: Finding[] = [];
  const keyOf = (message: string) => /^([a-z][\w.]*):/.exec(message)?.[1] ?? 'mixture';
  const teacher = await guarded(found, keyOf, () => openTeacher(config));
  const { enabled, pairs } = config.regression;
  if (!teacher || !enabled || pairs.path === undefined) return found;
  await guarded(
    found,
    () => 'regression.pairs.path',
    () => teacher.pairs.open(pairs.path!),
  );
  return found;
}

/** A text-to-image teacher may have gigabytes: its configurations are opened, not its weights. */
async function latentFindings(config: DistillConfig): Promise<Finding[]> {
  const found: Finding[] = [];
  const { text, regression } = config;
  const named = (otherwise: string) => (message: string) => {
    const [, key] = /^((?:text|matching|generator|labels|network)[\w.]*):/.exec(message) ?? [];
    return key ?? otherwise;
  };
  const teacher = await guarded(found, named('teacher'), async () => openTextTeacher(config));
  await guarded(found, named('text.prompts'), async () => text.prompts && readPrompts(config));
  if (!teacher || !regression.enabled) return found;
  if (text.decoder !== undefined && text.regressionSpace === 'image') {
    await guarded(found, named('text.decoder'), () => openDecoder(text.decoder!, teacher));
  }
  const { path: pairs } = regression.pairs;
  if (pairs !== undefined) await guarded(found, named('regression.pairs.path'), () => openLatentPairs(teacher, pairs));
  return found;
}
