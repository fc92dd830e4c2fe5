/**
 * Makes a vocabulary from captions, in the form and order of CLIP's: 256 bytes, the same at a word's end, merges, start and end. The
 * most frequent pair of neighbours is merged next (Sennrich et al. 2016), of equally frequent ones the first in the alphabet, so that
 * the same captions in any order give the same files. A token can be the end of longer words only (`art` of `part`), so that the words
 * themselves are listed too.
 */
import { WORD_END } from './bpe.ts';
import { byteCharacters, toByteCharacters, vocabularyOrder } from './bytes.ts';
import type { Vocabulary } from './vocabulary.ts';
import { isWord, normalizeText, piecesOf } from './words.ts';

/** A vocabulary without a merge: bytes twice, start and end. */
export const LEAST_VOCABULARY = 2 * 256 + 2;

/**
 * At most `vocabularySize` tokens; fewer where every word of the captions has become a token before that. Throws a `RangeError` below
 * `LEAST_VOCABULARY`.
 */
export function trainBpe(captions: Iterable<string>, vocabularySize: number): Vocabulary {
  if (!Number.isInteger(vocabularySize) || vocabularySize < LEAST_VOCABULARY) {
    throw new RangeError(
      `a vocabulary of ${vocabularySize} tokens, where ${LEAST_VOCABULARY} are needed without merges`,
    );
  }
  const words = wordsOf(captions);
  const pairs = new PairCounts(words);
  const merges: [string, string][] = [];
  while (LEAST_VOCABULARY + merges.length < vocabularySize) {
    const best = pairs.mostFrequent();
    if (!best) break;
    merges.push(best);
    pairs.merge(best);
  }
  const bytes = vocabularyOrder.map((byte) => byteCharacters[byte]!);
  const tokens = [
    ...bytes,
    ...bytes.map((character) => character + WORD_END),
    // Two ways can lead to one token.
    ...new Set(merges.map((pair) => pair.join(''))),
    '<|startoftext|>',
    '<|endoftext|>',
  ];
  const whole = words.filter(({ text, symbols }) => isWord(text) && symbols.length === 1).map(({ text }) => text);
  return { vocab: new Map(tokens.map((token, id) => [token, id])), merges, words: new Set(whole.sort()) };
}

/** The texts of vocab.json, merges.txt and, where the words are known, words.txt. */
export function vocabularyFiles({ vocab, merges, words }: Vocabulary) {
  return {
    ...(words ? { 'words.txt': [...words].map((word) => `${word}\n`).join('') } : {}),
    'vocab.json': `${JSON.stringify(Object.fromEntries(vocab))}\n`,
    'merges.txt': `#version: 0.2\n${merges.map((pair) => `${pair.join(' ')}\n`).join('')}`,
  };
}

interface Word {
  readonly text: string;
  symbols: string[];
  readonly count: number;
}

function wordsOf(captions: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    for (const { text } of piecesOf(normalizeText(caption))) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => {
    const symbols = toByteCharacters(text);
    symbols.push(symbols.pop()! + WORD_END);
    return { text, symbols, count };
  });
}

/** How often each pair of neighbours occurs, and in which words; no symbol holds a space. */
class PairCounts {
  readonly #pairs = new Map<string, { count: number; readonly words: Set<Word> }>();

  constructor(words: readonly Word[]) {
    for (const word of words) this.#add(word, 1);
  }

  mostFrequent(): [string, string] | null {
    let [best, most] = ['', 0];
    for (const [pair, { count }] of this.#pairs) {
      if (count > most || (count === most && pair < best)) [best, most] = [pair, count];
    }
    if (most === 0) return null;
    const [left, right] = best.split(' ');
    return [left!, right!];
  }

  merge([left, right]: readonly [string, string]): void {
    for (const word of [...this.#pairs.get(`${left} ${right}`)!.words]) {
      this.#add(word, -1);
      const merged: string[] = [];
      for (let i = 0; i < word.symbols.length; i++) {
        const both = word.symbols[i] === left && word.symbols[i + 1] === right;
        merged.push(both ? left + right : word.symbols[i]!);
        if (both) i++;
      }
      word.symbols = merged;
      this.#add(word, 1);
    }
  }

  #add(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const key = `${word.symbols[i]} ${word.symbols[i + 1]}`;
      const pair = this.#pairs.get(key) ?? { count: 0, words: new Set<Word>() };
      pair.count += sign * word.count;
      if (sign > 0) pair.words.add(word);
      else pair.words.delete(word);
      if (pair.count === 0) this.#pairs.delete(key);
      else this.#pairs.set(key, pair);
    }
  }
}
