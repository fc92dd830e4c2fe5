/** What is wrong with a config that is sound by itself: it names files that are missing, damaged, or do not go together. */
import path from 'node:path';
import { openPairs } from '../../data/pairs.ts';
import { describeError } from '../../files/describe-error.ts';
import { errorCode } from '../../files/disk.ts';
import { openDecoder } from '../../methods/common/decoder.ts';
import { openDistance } from '../../methods/common/distance.ts';
import { openLatentPairs } from '../../methods/common/latent-pairs.ts';
import { readPrompts } from '../../methods/common/prompts.ts';
import { loadTeacher } from '../../models/teacher.ts';
import { isTextTeacher, openTextTeacher } from '../../models/text/text-teacher.ts';
import type { Config, DistillConfig, TeachConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { planTeachAutoencoder } from '../../teach/teach-autoencoder-session.ts';
import { planTeach } from '../../teach/teach-session.ts';
import { planTeachTextEncoder } from '../../teach/teach-text-encoder-session.ts';
import { planTeachText } from '../../teach/teach-text-session.ts';

/** A problem with the value of a key. */
export interface Finding {
  /** Dotted. */
  readonly key: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

type OpenTeacher = typeof loadTeacher;

/**
 * Opens what a run of the config would open, with the run's own code; nothing is written.
 * @param config its paths absolute
 * @param openTeacher takes the weights' place with none, where they are not needed again
 */
export function findingsOf(config: Config, openTeacher: OpenTeacher = loadTeacher): Promise<Finding[]> {
  switch (config.kind) {
    case 'distill':
      return distillFindings(config, openTeacher);
    case 'teach':
      return teachFindings(config);
    case 'teach-autoencoder':
      return planFindings(() => planTeachAutoencoder(config), config, ['initial'], 'network');
    case 'teach-text-encoder':
      return planFindings(() => planTeachTextEncoder(config), config, ['tokenizer'], 'image_encoder');
    case 'teach-text':
      return planFindings(() => planTeachText(config), config, ['vae', 'tokenizer', 'initialText', 'initial'], 'unet');
  }
}

async function distillFindings(config: DistillConfig, openTeacher: OpenTeacher): Promise<Finding[]> {
  if (isTextTeacher(config.teacher)) return latentFindings(config);
  const found: Finding[] = [];
  const note = (key: string, severity: Finding['severity'], message: string) => found.push({ key, severity, message });
  const teacher = await guarded(
    found,
    () => 'teacher',
    () => openTeacher(config.teacher, { network: config.network }),
  );
  const { enabled, pairs } = config.regression;
  if (!teacher) return found;
  const { network, role, sha256 } = teacher;
  if (role === 'generator') note('teacher', 'warning', 'This is a one-step generator, not a many-step teacher.');
  if (config.labels === 'none' && network.labelDim === 0) {
    note('labels', 'error', 'The teacher has no classes that could be left out. Remove this key.');
  }
  if (!enabled) return found;
  await guarded(found, distanceKey(config), () =>
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

function distanceKey({ regression: { lpipsWeights, vggWeights } }: DistillConfig): (message: string) => string {
  return (message) => {
    if (vggWeights && message.includes(vggWeights)) return 'regression.vggWeights';
    return lpipsWeights && message.includes(lpipsWeights) ? 'regression.lpipsWeights' : 'regression.distance';
  };
}

async function teachFindings(config: TeachConfig): Promise<Finding[]> {
  const found: Finding[] = [];
  const { source } = config.data;
  const keyOf = (message: string) => {
    const [, named] = /^((?:network|data|initial)[\w.]*)/.exec(message) ?? [];
    if (named) return named;
    if (config.initial !== undefined && message.includes(config.initial)) return 'initial';
    return message.includes(source) || message.includes(path.basename(source)) ? 'data.source' : 'network';
  };
  await guarded(found, keyOf, () => planTeach(config));
  return found;
}

/**
 * @param paths keys that name files
 * @param otherwise the key that is to blame when no other is named
 */
async function planFindings<Key extends string>(
  plan: () => Promise<unknown>,
  config: Readonly<Partial<Record<Key, string | undefined>>>,
  paths: readonly Key[],
  otherwise: string,
): Promise<Finding[]> {
  const found: Finding[] = [];
  const keyOf = (message: string) =>
    paths.find((key) => config[key] !== undefined && message.includes(config[key])) ?? otherwise;
  await guarded(found, keyOf, plan);
  return found;
}

/** What a person is meant to read becomes a finding; undefined then. */
async function guarded<T>(
  found: Finding[],
  keyOf: (message: string) => string,
  open: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    // A system's refusal that nobody has put in words yet is no bug: any path can stand in a config.
    if (!(error instanceof UserError) && !errorCode(error)) throw error;
    const { message, hint } = describeError(error);
    found.push({ key: keyOf(message), severity: 'error', message: `${message} ${hint}`.trim() });
    return undefined;
  }
}
