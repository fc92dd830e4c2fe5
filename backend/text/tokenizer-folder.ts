/**
 * A tokenizer's folder, as diffusers and transformers write it: vocab.json and merges.txt, or tokenizer.json; tokenizer_config.json,
 * special_tokens_map.json and added_tokens.json where they are there; and words.txt, which is this project's own (train-bpe.ts). Throws UserError('weights') that names the file.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { readTextAside } from '../files/regular.ts';
import { UserError } from '../protocol/errors.ts';
import { ID_LIMIT } from './bpe.ts';
import {
  type AddedToken,
  addedTokenSchema,
  checked,
  parseJson,
  parseMerges,
  parseTokenizerJson,
  parseVocab,
  parseWords,
  refused,
  type Vocabulary,
} from './vocabulary.ts';

/** A special token as a plain string, or with what it matches. */
const special = z.string().min(1).or(addedTokenSchema);
const roles = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const;
type Role = (typeof roles)[number];
const specials = { bos_token: special.nullish(), eos_token: special.nullish(), unk_token: special.nullish() };
const mapSchema = z.looseObject({ ...specials, pad_token: special.nullish() });
const configSchema = mapSchema.extend({
  tokenizer_class: z.enum(['CLIPTokenizer', 'CLIPTokenizerFast']).default('CLIPTokenizer'),
  model_max_length: z.number().min(3).nullish(),
  added_tokens_decoder: z.record(z.string().regex(/^\d{1,8}$/), addedTokenSchema).default({}),
});
const addedSchema = z.record(z.string().min(1).max(200), z.int().min(0).lt(ID_LIMIT));

/** Everything that a tokenizer is made of. */
export interface TokenizerParts extends Vocabulary {
  readonly added: readonly AddedToken[];
  readonly startToken: string;
  readonly endToken: string;
  readonly padToken: string;
  readonly unknownToken: string;
  /** Length of an encoded text, start and end included. */
  readonly maxTokens: number;
}

const names: Record<Role, string> = {
  bos_token: '<|startoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
};
/** What models were trained with, where the config says nothing (or 1e30, as transformers writes it). */
const CLIP_LENGTH = 77;
const MOST_LENGTH = 4096;

/** The files that a tokenizer's folder can have. */
export const tokenizerFileNames = [
  'vocab.json',
  'merges.txt',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'words.txt',
] as const;
export type TokenizerFileName = (typeof tokenizerFileNames)[number];
export type TokenizerFiles = Readonly<Partial<Record<TokenizerFileName, string>>>;

/** Reads the files that are there. Throws UserError('io' or 'weights') for one that cannot be read or is far too large. */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const files: Partial<Record<TokenizerFileName, string>> = {};
  for (const name of tokenizerFileNames) {
    const text = await readText(join(folder, name));
    if (text !== null) files[name] = text;
  }
  return files;
}

/** The contents of a tokenizer's files. @param where how messages call their folder */
export function parseTokenizerFiles(files: TokenizerFiles, where: string): TokenizerParts {
  const called = (name: TokenizerFileName) => join(where, name);
  const { added, ...vocabulary } = vocabularyOf(files, where);
  const words = files['words.txt'] === undefined ? null : parseWords(files['words.txt'], called('words.txt'));
  const settingsIn = <Schema extends z.ZodType>(schema: Schema, name: TokenizerFileName) =>
    checked(schema, files[name] === undefined ? {} : parseJson(files[name], called(name)), called(name));
  const config = settingsIn(configSchema, 'tokenizer_config.json');
  const map = settingsIn(mapSchema, 'special_tokens_map.json');
  const listed = Object.entries(settingsIn(addedSchema, 'added_tokens.json'));
  const decoder = Object.entries(config.added_tokens_decoder);
  return tokenizerParts(
    { ...vocabulary, words },
    {
      special: Object.fromEntries(roles.map((role) => [role, map[role] ?? config[role] ?? names[role]])),
      added: [
        ...listed.map(([content, id]) => ({ content, id, normalized: true })),
        ...decoder.map(([id, { content, normalized }]) => ({ content, id: Number(id), normalized })),
        ...added,
      ],
      maxTokens: config.model_max_length,
      where,
    },
  );
}

function vocabularyOf(files: TokenizerFiles, where: string): Vocabulary & { added: readonly AddedToken[] } {
  const { 'vocab.json': vocab, 'merges.txt': merges, 'tokenizer.json': whole } = files;
  if (vocab !== undefined && merges !== undefined) {
    const [vocabFile, mergesFile] = [join(where, 'vocab.json'), join(where, 'merges.txt')];
    return { vocab: parseVocab(vocab, vocabFile), merges: parseMerges(merges, mergesFile), added: [] };
  }
  if (whole !== undefined) return parseTokenizerJson(whole, join(where, 'tokenizer.json'));
  throw refused(`${where} has no tokenizer: vocab.json and merges.txt, or tokenizer.json`);
}

interface Settings {
  readonly special?: Partial<Record<Role, z.output<typeof special>>>;
  /** Later ones of the same text stand. */
  readonly added?: readonly AddedToken[];
  readonly maxTokens?: number | null | undefined;
  readonly where: string;
}

/** A vocabulary with special tokens, CLIP's own by default. */
export function tokenizerParts({ vocab, merges, words = null }: Vocabulary, settings: Settings): TokenizerParts {
  const { where, special: wanted = {}, maxTokens = CLIP_LENGTH } = settings;
  const added = new Map<string, AddedToken>();
  const texts = roles.map((role) => {
    const token = wanted[role] ?? names[role];
    const content = typeof token === 'string' ? token : token.content;
    const id = vocab.get(content) ?? settings.added?.find((other) => other.content === content)?.id;
    if (id === undefined) throw refused(`${where}: the ${role} ${JSON.stringify(content)} is not in the vocabulary`);
    // A plain string means the text as typed. The last of several roles of one token decides.
    added.set(content, { content, id, normalized: typeof token !== 'string' && token.normalized });
    return content;
  });
  for (const { content, id, normalized } of settings.added ?? []) added.set(content, { content, id, normalized });
  const [startToken, endToken, unknownToken, padToken] = texts as [string, string, string, string];
  const length = maxTokens === null || maxTokens > MOST_LENGTH ? CLIP_LENGTH : Math.floor(maxTokens);
  const special = { startToken, endToken, unknownToken, padToken };
  return { vocab, merges, words, added: [...added.values()], ...special, maxTokens: length };
}

/** Null where there is no such file. */
async function readText(file: string): Promise<string | null> {
  try {
    return await readTextAside(file, 'vocabulary');
  } catch (error) {
    if (error instanceof UserError) throw refused(error.message);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('io', `${file} cannot be read: ${(error as Error).message}`, '', { cause: error });
  }
}
