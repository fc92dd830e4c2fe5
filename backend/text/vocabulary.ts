/**
 * The parts of a tokenizer, checked: a vocabulary (token -> id), the merges in their order, and tokens that are looked for in the text
 * before anything else. From vocab.json and merges.txt, or from the one tokenizer.json of newer folders.
 *
 * Throws UserError('weights') that names the file and the entry. What a file can ask for is bounded before it is built.
 */

import { z } from 'zod';
import { safeParse } from '../protocol/config/safe-parse.ts';
import { UserError } from '../protocol/errors.ts';
import { parseJson as parseBounded } from '../protocol/json.ts';
import { type BytePairs, ID_LIMIT, type Merge, pairKey, WORD_END } from './bpe.ts';

export interface Vocabulary {
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** Every word that the text which it was made from has and that is one token; null where nobody wrote that down. */
  readonly words?: ReadonlySet<string> | null;
}

/** A token that is one wherever it stands in a text. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Looked for in the normalised text rather than in the text as typed: found in capitals too. */
  readonly normalized: boolean;
}

const MOST_TOKENS = 1_000_000;
const MOST_ADDED = 1000;

/** @param file how messages call it */
export function parseVocab(text: string, file: string): Map<string, number> {
  return checkVocab(parseJson(text, file, true), file);
}

function checkVocab(raw: unknown, file: string): Map<string, number> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw refused(`${file} is no list of tokens`);
  const entries: [string, unknown][] = Object.entries(raw);
  if (entries.length === 0 || entries.length > MOST_TOKENS) throw refused(`${file} has ${entries.length} tokens`);
  const vocab = new Map<string, number>();
  const tokens = new Map<number, string>();
  for (const [token, id] of entries) {
    const fits = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < ID_LIMIT;
    if (!fits) throw refused(`${file}: the id of ${show(token)} is ${show(String(id))}, not a whole number in range`);
    const other = tokens.get(id);
    if (other !== undefined) throw refused(`${file}: ${show(other)} and ${show(token)} have the same id ${id}`);
    tokens.set(id, token);
    vocab.set(token, id);
  }
  return vocab;
}

/** The lines of merges.txt: two tokens with a space between; a line `#version: ...` says nothing. */
export function parseMerges(text: string, file: string): [string, string][] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MOST_TOKENS) throw refused(`${file}: ${lines.length} lines`);
  return lines.flatMap((line, i): [string, string][] => {
    if (line.startsWith('#version')) return [];
    const [left, right, more] = line.split(' ');
    if (left && right && more === undefined) return [[left, right]];
    throw refused(`${file}: line ${i + 1} is not two tokens with a space between: ${show(line)}`);
  });
}

/** The lines of words.txt, one word each. */
export function parseWords(text: string, file: string): Set<string> {
  const words = text.split(/\r?\n/).filter((line) => line !== '');
  if (words.length > MOST_TOKENS) throw refused(`${file}: ${words.length} lines`);
  return new Set(words);
}

/** Merges by pairs of ids. */
export function bytePairs({ vocab, merges }: Vocabulary, unknownToken: string, file: string): BytePairs {
  const idOf = (token: string, what: string) => {
    const id = vocab.get(token);
    if (id !== undefined) return id;
    throw refused(`${file}: ${show(token)}, ${what}, is not in the vocabulary`);
  };
  const ranked = new Map<number, Merge>();
  for (const [rank, [left, right]] of merges.entries()) {
    const key = pairKey(idOf(left, `of merge ${rank + 1}`), idOf(right, `of merge ${rank + 1}`));
    ranked.set(key, { rank, id: idOf(left + right, `what merge ${rank + 1} gives`) });
  }
  return { vocabulary: vocab, merges: ranked, unknownId: idOf(unknownToken, 'the unknown token') };
}

const plainAdded = z.looseObject({
  content: z.string().min(1).max(200),
  normalized: z.boolean().default(true),
  single_word: z.literal(false, { error: 'only false is supported' }).default(false),
  lstrip: z.literal(false, { error: 'only false is supported' }).default(false),
  rstrip: z.literal(false, { error: 'only false is supported' }).default(false),
});
export const addedTokenSchema = plainAdded;
const tokenId = z.int().min(0).lt(ID_LIMIT);

const tokenizerSchema = z.looseObject({
  added_tokens: z
    .array(plainAdded.extend({ id: tokenId }))
    .max(MOST_ADDED)
    .default([]),
  normalizer: z.looseObject({ normalizers: z.array(z.looseObject({ type: z.string() })) }),
  pre_tokenizer: z.looseObject({ pretokenizers: z.array(z.looseObject({ type: z.string() })) }),
  model: z.looseObject({
    type: z.literal('BPE').default('BPE'),
    end_of_word_suffix: z.literal(WORD_END),
    fuse_unk: z.literal(false).default(false),
    byte_fallback: z.literal(false).default(false),
    ignore_merges: z.literal(false).default(false),
    dropout: z.literal(0).nullish(),
    vocab: z.unknown(),
    merges: z.array(z.string().or(z.tuple([z.string(), z.string()]))).max(MOST_TOKENS),
  }),
});

/** A tokenizer.json of CLIP's kind; any other kind is refused. */
export function parseTokenizerJson(text: string, file: string): Vocabulary & { added: AddedToken[] } {
  const { model, added_tokens, normalizer, pre_tokenizer } = checked(
    tokenizerSchema,
    parseJson(text, file, true),
    file,
  );
  const types = [...normalizer.normalizers, ...pre_tokenizer.pretokenizers].map(({ type }) => type).join(', ');
  const expected = 'NFC, Replace, Lowercase, Split, ByteLevel';
  if (types !== expected) throw refused(`${file}: the text is prepared by ${types}, where CLIP's way is ${expected}`);
  const merges = model.merges.map((merge, i): [string, string] => {
    const [left, right, more] = typeof merge === 'string' ? merge.split(' ') : merge;
    if (left && right && more === undefined) return [left, right];
    throw refused(`${file}: merge ${i + 1} is not two tokens`);
  });
  const added = added_tokens.map(({ content, id, normalized }) => ({ content, id, normalized }));
  return { vocab: checkVocab(model.vocab, file), merges, added };
}

/** `raw` by a schema. */
export function checked<Schema extends z.ZodType>(schema: Schema, raw: unknown, file: string): z.output<Schema> {
  const result = safeParse(schema, raw);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw refused(`${file}: ${path.map((key) => show(String(key))).join('.')}${path.length > 0 ? ': ' : ''}${message}`);
}

export function parseJson(text: string, file: string, anyNames = false): unknown {
  try {
    return parseBounded(text, { anyNames });
  } catch (error) {
    throw refused(`${file} is not JSON: ${(error as Error).message}`);
  }
}

export function refused(message: string): UserError {
  return new UserError('weights', `${message}.`, "Fetch the model's tokenizer folder again.");
}

/** What a file says, short and without control characters. */
function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
