/**
 * CLIP's tokenizer, with the results of transformers' CLIPTokenizer: a prompt becomes a fixed number of token ids, start and end
 * included, padded; what is too long is cut, and said.
 *
 *     const tokenizer = await ClipTokenizer.fromFolder('model/tokenizer');
 *     const { ids, truncated } = tokenizer.encode('a red circle on blue ground');
 */
import { UserError } from '../protocol/errors.ts';
import { type BytePairs, encodePiece } from './bpe.ts';
import {
  parseTokenizerFiles,
  readTokenizerFiles,
  type TokenizerFiles,
  type TokenizerParts,
  tokenizerParts,
} from './tokenizer-folder.ts';
import { type AddedToken, bytePairs, type Vocabulary } from './vocabulary.ts';
import { isWord, normalizeText, piecesOf } from './words.ts';

export interface EncodedPrompt {
  /** `maxTokens` ids: start, the text's, end, padding. */
  readonly ids: readonly number[];
  /** How many of the ids are no padding. */
  readonly length: number;
  /** The part of the (normalised) prompt that did not fit, from the first word that is not wholly in; mostly ''. */
  readonly truncated: string;
  /**
   * Words that it has never seen, each once, in lower case: those that words.txt lacks; without that file, as with CLIP's own
   * vocabulary, those that are no token of their own.
   */
  readonly unknownWords: readonly string[];
}

export interface TokenizerOptions {
  /** Length of an encoded text, start and end included; else what the files say, else 77. */
  readonly maxTokens?: number | undefined;
}

/** Longer prompts are no prompts. */
const MOST_CHARACTERS = 100_000;

export class ClipTokenizer {
  readonly maxTokens: number;
  /** One more than the greatest id: the least number of rows of an embedding table. */
  readonly vocabularySize: number;
  readonly startId: number;
  readonly endId: number;
  readonly padId: number;
  readonly #pairs: BytePairs;
  readonly #words: ReadonlySet<string> | null;
  /** Looked for in the text as typed, and in the normalised text. */
  readonly #typed: readonly AddedToken[];
  readonly #normalized: readonly AddedToken[];

  /** @param where how messages call what the parts come from */
  private constructor(parts: TokenizerParts, where: string) {
    const { added, maxTokens, merges } = parts;
    // Special tokens may be added to the vocabulary's own.
    const vocab = new Map([...added.map(({ content, id }) => [content, id] as const), ...parts.vocab]);
    this.maxTokens = maxTokens;
    this.vocabularySize = [...vocab.values()].reduce((most, id) => Math.max(most, id), 0) + 1;
    this.#pairs = bytePairs({ vocab, merges }, parts.unknownToken, where);
    this.#words = parts.words ?? null;
    const idOf = (content: string) => added.find((token) => token.content === content)!.id;
    this.startId = idOf(parts.startToken);
    this.endId = idOf(parts.endToken);
    this.padId = idOf(parts.padToken);
    this.#typed = added.filter(({ normalized }) => !normalized);
    const normalized = added.filter((token) => token.normalized);
    this.#normalized = normalized.map((token) => ({ ...token, content: normalizeText(token.content) }));
  }

  /** Reads a tokenizer's folder. Throws UserError('weights') that names the file. */
  static async fromFolder(folder: string, options: TokenizerOptions = {}): Promise<ClipTokenizer> {
    return ClipTokenizer.fromFiles(await readTokenizerFiles(folder), folder, options);
  }

  /**
   * Of the contents of a folder's files. Throws UserError('weights') that names the file.
   * @param where how messages call the folder
   */
  static fromFiles(files: TokenizerFiles, where: string, { maxTokens }: TokenizerOptions = {}): ClipTokenizer {
    const parts = parseTokenizerFiles(files, where);
    return new ClipTokenizer({ ...parts, maxTokens: maxTokens ?? parts.maxTokens }, where);
  }

  /** With CLIP's own special tokens. Throws UserError('weights') for a vocabulary that contradicts itself. */
  static fromVocabulary(vocabulary: Vocabulary, { maxTokens }: TokenizerOptions = {}): ClipTokenizer {
    const where = 'the vocabulary';
    return new ClipTokenizer(tokenizerParts(vocabulary, { maxTokens, where }), where);
  }

  /** Throws UserError('usage') for a prompt of more than 100,000 characters. The work ends where the ids are full. */
  encode(prompt: string): EncodedPrompt {
    if (prompt.length > MOST_CHARACTERS) {
      const message = `The prompt has ${prompt.length} characters; at most ${MOST_CHARACTERS} are read.`;
      throw new UserError('usage', message, `The model sees no more than ${this.maxTokens - 2} tokens of it.`);
    }
    const ids = [this.startId];
    const unknown = new Set<string>();
    let truncated = '';
    for (const part of this.#parts(prompt)) {
      const free = this.maxTokens - 1 - ids.length;
      ids.push(...part.ids.slice(0, free));
      if (part.ids.length > free) {
        truncated = part.rest().trim();
        break;
      }
      if (part.word && !this.#knows(part)) unknown.add(part.text);
    }
    ids.push(this.endId);
    const { length } = ids;
    while (ids.length < this.maxTokens) ids.push(this.padId);
    return { ids, length, truncated, unknownWords: [...unknown] };
  }

  /** As `encode` finds them. */
  unknownWords(prompt: string): readonly string[] {
    return this.encode(prompt).unknownWords;
  }

  #knows({ text, ids }: Part): boolean {
    return this.#words?.has(text) ?? (ids.length === 1 && ids[0] !== this.#pairs.unknownId);
  }

  /** The text's parts with their tokens, one after the other; `rest` is the text from there on. */
  *#parts(prompt: string): Generator<Part> {
    const segments = splitAdded(prompt, this.#typed).flatMap(({ text, id }) =>
      id === null ? splitAdded(normalizeText(text), this.#normalized) : [{ text, id }],
    );
    for (const [i, { text, id }] of segments.entries()) {
      const after = () => segments.slice(i + 1).map((segment) => segment.text);
      const rest = (start: number) => () => [text.slice(start), ...after()].join('');
      if (id !== null) yield { text, ids: [id], word: false, rest: rest(0) };
      else {
        for (const piece of piecesOf(text)) {
          const ids = encodePiece(piece.text, this.#pairs);
          yield { text: piece.text, ids, word: isWord(piece.text), rest: rest(piece.start) };
        }
      }
    }
  }
}

interface Part {
  readonly text: string;
  readonly ids: readonly number[];
  readonly word: boolean;
  rest(): string;
}

/** A text cut at added tokens, the first and longest first. */
function splitAdded(text: string, tokens: readonly AddedToken[]): { text: string; id: number | null }[] {
  if (tokens.length === 0 || text === '') return [{ text, id: null }];
  const contents = tokens.map(({ content }) => content).sort((a, b) => b.length - a.length);
  const any = new RegExp(`(${contents.map((content) => content.replace(/\W/gu, escapeUnit)).join('|')})`, 'u');
  const ids = new Map(tokens.map(({ content, id }) => [content, id]));
  return text
    .split(any)
    .map((part, i) => ({ text: part, id: i % 2 === 1 ? ids.get(part)! : null }))
    .filter((part) => part.text !== '');
}

const escapeUnit = (character: string) => `\\u{${character.codePointAt(0)!.toString(16)}}`;
