/**
 * How CLIP's tokenizer sees a text: normalised (composed, one space for any white space, lower case), then cut into pieces that are
 * tokenized each on their own: words, single digits, runs of other characters, and English contractions.
 */

/** Lower case is per character: no final sigma, as in the tokenizers that models were trained with. */
export function normalizeText(text: string): string {
  const spaced = text.normalize('NFC').replace(/\p{White_Space}+/gu, ' ');
  let lower = '';
  for (const character of spaced) lower += character.toLowerCase();
  return lower;
}

export interface Piece {
  readonly text: string;
  /** Where it begins in the normalised text, in UTF-16 units. */
  readonly start: number;
}

const pieces = /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;
/** The byte-level step cuts once more, which only these two notice: typed in capitals, they are plain text. */
const bracketed = /^<\|(startoftext|endoftext)\|>$/;

/** The pieces of a normalised text, one after the other, as they are asked for. */
export function* piecesOf(normalized: string): Generator<Piece> {
  for (const match of normalized.matchAll(pieces)) {
    const [text] = match;
    const name = bracketed.exec(text)?.[1];
    let start = match.index;
    for (const part of name ? ['<|', name, '|>'] : [text]) {
      yield { text: part, start };
      start += part.length;
    }
  }
}

/** Whether a piece is a word: letters only. */
export function isWord(piece: string): boolean {
  return /^\p{L}+$/u.test(piece);
}
