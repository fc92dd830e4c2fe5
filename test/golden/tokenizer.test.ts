/** The tokenizer against transformers' CLIPTokenizer, prompt by prompt, with a vocabulary that this project's own training made. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ClipTokenizer, type TokenizerFiles, trainBpe, vocabularyFiles } from '../../backend/text/index.ts';

const read = (name: string) => readFileSync(new URL(`tokenizer/${name}`, import.meta.url), 'utf8');
interface Recorded {
  prompts: string[];
  variants: Record<string, { files: TokenizerFiles; length: number; ids: number[][] }>;
}
const { prompts, variants } = JSON.parse(read('clip.json')) as Recorded;
const vocabulary = { 'vocab.json': read('vocab.json'), 'merges.txt': read('merges.txt') };
const words = read('words.txt');

for (const [name, { files, length, ids }] of Object.entries(variants)) {
  test(`every recorded prompt becomes the recorded ids: ${name}`, () => {
    const own = 'tokenizer.json' in files ? files : { ...vocabulary, ...files };
    const tokenizer = ClipTokenizer.fromFiles(own, name);
    assert.equal(tokenizer.maxTokens, length);
    for (const [i, prompt] of prompts.entries()) {
      const row = ids[i]!;
      // Recorded up to the first number of padding.
      const expected = [...row, ...Array<number>(length - row.length).fill(row.at(-1)!)];
      assert.deepEqual([...tokenizer.encode(prompt).ids], expected, JSON.stringify(prompt));
    }
  });
}

test('the variants and prompts are all there', () => {
  const names = ['added', 'decoder', 'files', 'lacking', 'saved', 'sd1', 'sd2', 'shuffled', 'shuffled twice'];
  assert.deepEqual(Object.keys(variants).sort(), names);
  assert.ok(prompts.length > 30);
  assert.ok(variants.saved!.files['tokenizer.json']);
  const distinct = new Set(Object.values(variants).map(({ ids }) => JSON.stringify(ids)));
  assert.ok(distinct.size >= 6, 'the variants hardly differ');
});

test('the recorded vocabulary is what training on the captions gives, in whatever order they come', () => {
  const captions = read('captions.txt').trim().split('\n');
  assert.deepEqual(vocabularyFiles(trainBpe(captions, 640)), { ...vocabulary, 'words.txt': words });
  assert.deepEqual(vocabularyFiles(trainBpe([...captions].reverse(), 640)), { ...vocabulary, 'words.txt': words });
});
