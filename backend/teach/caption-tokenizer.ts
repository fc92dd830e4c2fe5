/** The tokenizer of a text model that is taught: from a folder, or with a vocabulary made from the training captions. */
import path from 'node:path';
import { samplePrompts } from '../data/captioned/captioned-batch.ts';
import { hashOf } from '../data/pair-shard.ts';
import { type Inputs, settingsInputs } from '../models/input-file.ts';
import type { TeachTextConfig, TeachTextEncoderConfig } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { ClipTokenizer, type TokenizerFiles, trainBpe, vocabularyFiles } from '../text/index.ts';
import { readTokenizerFiles, tokenizerFileNames } from '../text/tokenizer-folder.ts';

export interface CaptionTokenizer {
  readonly tokens: { readonly count: number; readonly start: number; readonly end: number; readonly padding: number };
  /** Files of the component `tokenizer`, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Token ids [L] of a caption, '' for the empty prompt. */
  ids(caption: string): Float32Array;
  readonly inputs: Inputs;
}

/** Captions that a vocabulary is made from: enough to have every word many times. */
const readCaptions = 4096;

/**
 * @param given folder of the tokenizer; undefined makes one from the captions
 * @throws UserError('weights') for a folder without a tokenizer, UserError('config') when the longest caption does not fit
 */
export async function captionTokenizer(
  config: TeachTextConfig | TeachTextEncoderConfig,
  given: string | undefined,
): Promise<CaptionTokenizer> {
  const maxTokens = config.text_encoder.max_position_embeddings;
  const captions = samplePrompts(Math.min(readCaptions, config.data.count), 'train', config.data.seed);
  const prompts = captions.map(({ prompt }) => prompt);
  const files = given === undefined ? made(prompts, config.vocabulary, maxTokens) : await readTokenizerFiles(given);
  const tokenizer = ClipTokenizer.fromFiles(files, given ?? 'the vocabulary', { maxTokens });
  const [start, end, padding] = tokenizer.encode('').ids;
  refuseLong(tokenizer, prompts);
  return {
    tokens: { count: tokenizer.vocabularySize, start: start!, end: end!, padding: padding! },
    files: present(files),
    ids: (caption) => Float32Array.from(tokenizer.encode(caption).ids),
    inputs: given === undefined ? {} : await tokenizerInputs(given),
  };
}

/** A vocabulary of the captions' words, and the files that make transformers read it as CLIP's. */
function made(captions: readonly string[], size: number, maxTokens: number): TokenizerFiles {
  const special = {
    bos_token: '<|startoftext|>',
    eos_token: '<|endoftext|>',
    unk_token: '<|endoftext|>',
    pad_token: '<|endoftext|>',
  };
  const config = {
    tokenizer_class: 'CLIPTokenizer',
    model_max_length: maxTokens,
    do_lower_case: true,
    add_prefix_space: false,
    errors: 'replace',
    ...special,
  };
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    ...vocabularyFiles(trainBpe(captions, size)),
    'tokenizer_config.json': json(config),
    'special_tokens_map.json': json(special),
  };
}

function refuseLong(tokenizer: ClipTokenizer, captions: readonly string[]): void {
  const long = captions.find((caption) => tokenizer.encode(caption).truncated !== '');
  if (long === undefined) return;
  throw new UserError(
    'config',
    `text_encoder.max_position_embeddings is ${tokenizer.maxTokens}, too few for captions such as "${long}"`,
    'Raise it, or allow a larger vocabulary.',
  );
}

function present(files: TokenizerFiles): Record<string, string> {
  return Object.fromEntries(Object.entries(files).flatMap(([name, text]) => (text ? [[name, text]] : [])));
}

/** Under the config key stands the vocabulary; the folder that is named may be another key's. */
async function tokenizerInputs(folder: string): Promise<Inputs> {
  const sha256 = (await hashOf(path.join(folder, 'vocab.json'))) ?? '';
  return { tokenizer: { path: folder, sha256 }, ...(await settingsInputs('tokenizer', folder, tokenizerFileNames)) };
}
