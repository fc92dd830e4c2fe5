/** Byte-pair encoding with a heap against the plain rule, on random merges of few letters, where pairs overlap and vanish. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TorchGenerator } from '../../backend/random/torch-generator.ts';
import { encodePiece, WORD_END } from '../../backend/text/bpe.ts';
import { byteCharacters, toByteCharacters, vocabularyOrder } from '../../backend/text/bytes.ts';
import { bytePairs } from '../../backend/text/vocabulary.ts';

/** As long as some neighbours are a merge: the one listed first, the leftmost of these. */
function plainly(word: string, merges: readonly (readonly [string, string])[]): string[] {
  const symbols = [...word];
  symbols.push(symbols.pop()! + WORD_END);
  for (;;) {
    const ranks = symbols.slice(1).map((right, i) => {
      const rank = merges.findIndex(([a, b]) => a === symbols[i] && b === right);
      return rank < 0 ? Infinity : rank;
    });
    const best = Math.min(...ranks);
    if (best === Infinity) return symbols;
    const at = ranks.indexOf(best);
    symbols.splice(at, 2, symbols[at]! + symbols[at + 1]!);
  }
}

test('random merges give what the plain rule gives', () => {
  const random = new TorchGenerator(8);
  const below = (n: number) => Math.floor(random.rand(1)[0]! * n);
  let merged = 0;
  for (let round = 0; round < 150; round++) {
    const letters = 'abc'.slice(0, 1 + (round % 3));
    const tokens = [...letters, ...[...letters].map((letter) => letter + WORD_END)];
    const merges = new Map<string, [string, string]>();
    for (let i = 0; i < 40; i++) {
      const pair: [string, string] = [tokens[below(tokens.length)]!, tokens[below(tokens.length)]!];
      if (pair[0].endsWith(WORD_END)) continue;
      merges.set(pair.join(' '), pair);
      tokens.push(pair.join(''));
    }
    // Not in the order in which they came to be: a result can precede its parts.
    const list = [...merges.values()].sort(() => random.rand(1)[0]! - 0.5);
    const vocab = new Map([...new Set(tokens)].map((token, id) => [token, id]));
    const pairs = bytePairs({ vocab, merges: list }, 'a', 'test');
    const names = new Map([...vocab].map(([token, id]) => [id, token]));
    for (let i = 0; i < 20; i++) {
      const word = Array.from({ length: 1 + below(24) }, () => letters[below(letters.length)]).join('');
      const expected = plainly(word, list);
      merged += word.length - expected.length;
      assert.deepEqual(
        encodePiece(word, pairs).map((id) => names.get(id)),
        expected,
        `${word} with ${list.join(' | ')}`,
      );
    }
  }
  assert.ok(merged > 2000, `only ${merged} merges were made`);
  assert.deepEqual(encodePiece('', bytePairs({ vocab: new Map([['a', 0]]), merges: [] }, 'a', 'test')), []);
});

test('every byte has a printable character of its own, as in the published vocabularies', () => {
  assert.equal(new Set(byteCharacters).size, 256);
  assert.ok(byteCharacters.every((character) => /^[^\s\p{C}]$/u.test(character)));
  assert.equal(toByteCharacters('é A!').join(''), 'Ã©ĠA!');
  assert.deepEqual(
    [byteCharacters[0], byteCharacters[32], byteCharacters[127], byteCharacters[173]],
    ['Ā', 'Ġ', 'ġ', 'Ń'],
  );
  assert.deepEqual(vocabularyOrder.slice(0, 2), [33, 34]);
  assert.deepEqual(vocabularyOrder.slice(188, 190), [0, 1]);
  assert.equal(new Set(vocabularyOrder).size, 256);
});
