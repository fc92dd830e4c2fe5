/** The prompts of a distillation: those of a file, or captions of the built-in captioned scenes. */
import { createHash } from 'node:crypto';
import { samplePrompts } from '../../data/captioned/captioned-batch.ts';
import { readPromptFile } from '../../data/prompts/prompt-file.ts';
import type { Inputs } from '../../models/input-file.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';

const defaultCaptions = 20_000;

export interface PromptList {
  readonly prompts: readonly string[];
  /** Of all of them, hex. */
  readonly sha256: string;
}

/** @throws UserError('config') for none at all, UserError('data') for a file without, UserError('io') */
export function readPrompts({ text, seed }: Pick<DistillConfig, 'text' | 'seed'>): PromptList {
  const { prompts: source, promptColumn: column, count } = text;
  if (source === undefined) throw new UserError('config', 'text.prompts is missing', 'Name a text file, or scenes.');
  if (source === 'scenes') {
    if (column !== undefined) {
      throw new UserError('config', 'text.promptColumn: scenes are no file with columns', 'Leave the column out.');
    }
    return promptList(samplePrompts(count ?? defaultCaptions, 'train', seed).map(({ prompt }) => prompt));
  }
  return promptList(readPromptFile(source, column).slice(0, count));
}

export function promptList(prompts: readonly string[]): PromptList {
  return { prompts, sha256: createHash('sha256').update(prompts.join('\n')).digest('hex') };
}

/** What a run depends on are the prompts that it uses, not how their file ends its lines. */
export function promptInputs({ text }: Pick<DistillConfig, 'text'>, { sha256 }: PromptList): Inputs {
  return { 'text.prompts': { path: text.prompts!, sha256 } };
}
