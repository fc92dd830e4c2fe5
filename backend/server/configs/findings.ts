/** What is wrong with a config that is sound by itself: it names files that are missing, damaged, or do not go together. */
import path from 'node:path';
import { type Finding, guarded } from '../../methods/common/finding.ts';
import { methodOf } from '../../methods/index.ts';
import { loadTeacher } from '../../models/teacher.ts';
import type { Config, TeachConfig } from '../../protocol/config/index.ts';
import { planTeachAutoencoder } from '../../teach/teach-autoencoder-session.ts';
import { planTeach } from '../../teach/teach-session.ts';
import { planTeachTextEncoder } from '../../teach/teach-text-encoder-session.ts';
import { planTeachText } from '../../teach/teach-text-session.ts';

/**
 * Opens what a run of the config would open, with the run's own code; nothing is written.
 * @param config its paths absolute
 * @param openTeacher takes the weights' place with none, where they are not needed again
 */
export function findingsOf(config: Config, openTeacher = loadTeacher): Promise<Finding[]> {
  switch (config.kind) {
    case 'distill':
      return methodOf(config).findings(config, openTeacher);
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
