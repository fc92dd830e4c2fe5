/** The prompts of a distillation: lines of a text file, or captions of the built-in captioned scenes. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { samplePrompts } from '../../data/captioned/captioned-batch.ts';
import { onDisk } from '../../files/disk.ts';
import type { Inputs } from '../../models/input-file.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';

const defaultCaptions = 20_000;

export interface PromptList {
  readonly prompts: readonly string[];
  /** Of all of them, hex. */
  readonly sha256: string;
}

/** @throws UserError('config') for none at all, UserError('io') */
export function readPrompts({ text, seed }: Pick<DistillConfig, 'text' | 'seed'>): PromptList {
  const { prompts: source, count } = text;
  if (source === undefined) throw new UserError('config', 'text.prompts is missing', 'Name a text file, or scenes.');
  if (source === 'scenes') {
    return promptList(samplePrompts(count ?? defaultCaptions, 'train', seed).map(({ prompt }) => prompt));
  }
  const lines = onDisk('read', source, () => fs.readFileSync(source, 'utf8')).split(/\r?\n/);
  const prompts = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (prompts.length > 0) return promptList(prompts.slice(0, count));
  throw new UserError('config', `text.prompts: ${source} has no prompts`, 'Write one prompt per line.');
}

export function promptList(prompts: readonly string[]): PromptList {
  return { prompts, sha256: createHash('sha256').update(prompts.join('\n')).digest('hex') };
}

/** What a run depends on are the prompts that it uses, not how their file ends its lines. */
export function promptInputs({ text }: Pick<DistillConfig, 'text'>, { sha256 }: PromptList): Inputs {
  return { 'text.prompts': { path: text.prompts!, sha256 } };
}
