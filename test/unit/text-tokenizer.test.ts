/** The tokenizer beyond the recorded prompts: what is cut and not known, hostile files, and vocabularies of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  ClipTokenizer,
  LEAST_VOCABULARY,
  type TokenizerFiles,
  trainBpe,
  vocabularyFiles,
} from '../../backend/text/index.ts';

const captions = ['a red circle on blue ground', 'a green square, left of it a red star', "it's a blue star"];
const vocabulary = trainBpe(captions, 2000);
const files = vocabularyFiles(vocabulary);
const tokenizer = ClipTokenizer.fromVocabulary(vocabulary);

const folder = await mkdtemp(join(tmpdir(), 'dmd-tokenizer-'));
after(() => rm(folder, { recursive: true }));

test('start, words, end and padding, 77 in all', () => {
  const { ids, length, truncated, unknownWords } = tokenizer.encode('a red  CIRCLE');
  const id = (token: string) => vocabulary.vocab.get(token)!;
  assert.deepEqual(ids.slice(0, 6), [
    tokenizer.startId,
    id('a</w>'),
    id('red</w>'),
    id('circle</w>'),
    ...Array(2).fill(tokenizer.endId),
  ]);
  assert.deepEqual([ids.length, length, truncated, unknownWords], [77, 5, '', []]);
  assert.equal(tokenizer.endId, tokenizer.vocabularySize - 1);
  assert.equal(tokenizer.padId, tokenizer.endId);
  assert.equal(tokenizer.startId, tokenizer.endId - 1);
});

test('enough tokens: training ends when every word is one, and every caption keeps its words', () => {
  assert.ok(vocabulary.vocab.size < 2000);
  assert.equal(vocabulary.vocab.size, LEAST_VOCABULARY + vocabulary.merges.length);
  for (const caption of captions) assert.deepEqual(tokenizer.unknownWords(caption), []);
  const small = trainBpe(captions, LEAST_VOCABULARY + 5);
  assert.equal(small.vocab.size, LEAST_VOCABULARY + 5);
  assert.deepEqual(small.merges, vocabulary.merges.slice(0, 5));
  assert.equal(trainBpe([], 5000).vocab.size, LEAST_VOCABULARY);
  for (const size of [LEAST_VOCABULARY - 1, 600.5, Number.NaN])
    assert.throws(() => trainBpe(captions, size), RangeError);
});

test('words it does not know are named once, in lower case; digits and signs never are', () => {
  const prompt = 'A Red dragon, 3 DRAGONS & a dragon on the bluee square! Ärger 42';
  assert.deepEqual(tokenizer.unknownWords(prompt), ['dragon', 'dragons', 'the', 'bluee', 'ärger']);
});

test('the end of a longer word is a token, but no word', () => {
  const trained = trainBpe(['chart', 'part', 'smart cart', 'an 8'], 2000);
  assert.ok(trained.vocab.has('art</w>'));
  assert.deepEqual([...trained.words!], ['an', 'cart', 'chart', 'part', 'smart']);
  const own = ClipTokenizer.fromFiles(vocabularyFiles(trained), 'folder');
  assert.deepEqual(own.unknownWords('An art part, 8 9'), ['art']);
  const { 'words.txt': _, ...without } = vocabularyFiles(trained);
  assert.deepEqual(ClipTokenizer.fromFiles(without, 'folder').unknownWords('An art part, 8 9 arts'), ['arts']);
  const few = trainBpe(['chart', 'part', 'smart cart', 'an 8'], LEAST_VOCABULARY + 1);
  assert.deepEqual([...few.words!], []);
});

test('what does not fit is said, from the first word that is not wholly in', () => {
  const fits = `${'red '.repeat(75)}`;
  assert.equal(tokenizer.encode(fits).truncated, '');
  assert.equal(tokenizer.encode(fits).length, 77);
  assert.equal(tokenizer.encode(`${fits}, and a BLUE  star`).truncated, ', and a blue star');
  const half = tokenizer.encode(`${'red '.repeat(73)}dragon blue<|endoftext|>x`);
  assert.equal(half.truncated, 'dragon blue<|endoftext|>x');
  assert.equal(half.ids.at(-1), tokenizer.endId);
  assert.equal(half.ids.length, 77);
  const short = ClipTokenizer.fromVocabulary(vocabulary, { maxTokens: 4 });
  assert.deepEqual(short.encode('red star blue circle').truncated, 'blue circle');
  assert.equal(short.encode('').ids.length, 4);
});

test('long and odd prompts take no time, longer ones are refused', () => {
  const start = performance.now();
  for (const prompt of [
    'a'.repeat(100_000),
    'red '.repeat(25_000),
    '!'.repeat(100_000),
    '<|endoftext|>'.repeat(7000),
  ]) {
    assert.equal(tokenizer.encode(prompt).ids.length, 77);
  }
  assert.ok(performance.now() - start < 5000);
  assert.throws(() => tokenizer.encode('a'.repeat(100_001)), { kind: 'usage', message: /100001 characters/ });
});

test('broken text is read as the replacement character', () => {
  const broken = tokenizer.encode('red \ud800 \udc00star').ids;
  assert.deepEqual(broken, tokenizer.encode('red \ufffd \ufffdstar').ids);
});

test('a folder, with or without the further files', async () => {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const plain = await ClipTokenizer.fromFolder(folder);
  assert.deepEqual(plain.encode('a red star').ids, tokenizer.encode('a red star').ids);
  await writeFile(join(folder, 'tokenizer_config.json'), '{"model_max_length": 12, "pad_token": "!"}');
  const other = await ClipTokenizer.fromFolder(folder);
  assert.equal(other.maxTokens, 12);
  assert.equal(other.padId, 0);
  assert.deepEqual(other.encode('red!').ids.slice(2), [0, other.endId, ...Array(8).fill(0)]);
  assert.equal((await ClipTokenizer.fromFolder(folder, { maxTokens: 9 })).maxTokens, 9);
  await assert.rejects(ClipTokenizer.fromFolder(join(folder, 'none')), { kind: 'weights', message: /no tokenizer/ });
});

const { vocab } = vocabulary;
const vocabWith = (change: Record<string, unknown>) => JSON.stringify({ ...Object.fromEntries(vocab), ...change });
const whole = (change: object, model: object = {}) =>
  JSON.stringify({
    normalizer: { normalizers: [{ type: 'NFC' }, { type: 'Replace' }, { type: 'Lowercase' }] },
    pre_tokenizer: { pretokenizers: [{ type: 'Split' }, { type: 'ByteLevel' }] },
    model: { type: 'BPE', end_of_word_suffix: '</w>', vocab: Object.fromEntries(vocab), merges: [], ...model },
    ...change,
  });

const refused: [what: string, files: TokenizerFiles, message: RegExp][] = [
  ['nothing', {}, /no tokenizer/],
  ['merges missing', { 'vocab.json': files['vocab.json'] }, /no tokenizer/],
  ['no JSON', { ...files, 'vocab.json': '{' }, /vocab.json is not JSON/],
  ['a list', { ...files, 'vocab.json': '[1]' }, /no list of tokens/],
  ['nothing in it', { ...files, 'vocab.json': '{}' }, /0 tokens/],
  ['a negative id', { ...files, 'vocab.json': vocabWith({ x: -1 }) }, /the id of "x" is "-1"/],
  ['an id past what float32 counts', { ...files, 'vocab.json': vocabWith({ xy: 2 ** 24 }) }, /the id of "xy"/],
  ['an id that is text', { ...files, 'vocab.json': vocabWith({ xy: '7' }) }, /the id of "xy"/],
  ['one id twice', { ...files, 'vocab.json': vocabWith({ xy: 0 }) }, /same id 0/],
  ['no end token', { ...files, 'vocab.json': files['vocab.json'].replace('<|endoftext|>', 'end') }, /eos_token/],
  ['a merge of three', { ...files, 'merges.txt': 'r e d\n' }, /line 1 is not two tokens.*"r e d"/],
  ['a merge of one', { ...files, 'merges.txt': '#version: 0.2\nr e\nred\n' }, /line 3/],
  ['a merge of strangers', { ...files, 'merges.txt': 'r qqq\n' }, /"qqq", of merge 1, is not in the vocabulary/],
  ['a merge into a stranger', { ...files, 'merges.txt': 'q q\n' }, /"qq", what merge 1 gives/],
  [
    'a pad token that is not there',
    { ...files, 'tokenizer_config.json': '{"pad_token":"[PAD]"}' },
    /pad_token "\[PAD\]"/,
  ],
  ['another class', { ...files, 'tokenizer_config.json': '{"tokenizer_class":"T5Tokenizer"}' }, /tokenizer_class/],
  [
    'a token that eats spaces',
    { ...files, 'special_tokens_map.json': '{"pad_token":{"content":"!","lstrip":true}}' },
    /special_tokens_map.json.*pad_token.*/,
  ],
  ['a model that is no BPE', { 'tokenizer.json': whole({}, { type: 'Unigram' }) }, /"model"."type"/],
  ['words that do not end', { 'tokenizer.json': whole({}, { end_of_word_suffix: '' }) }, /end_of_word_suffix/],
  [
    'text that stays in capitals',
    { 'tokenizer.json': whole({ normalizer: { normalizers: [{ type: 'NFC' }] } }) },
    /CLIP's way/,
  ],
  ['an odd merge', { 'tokenizer.json': whole({}, { merges: ['r e d'] }) }, /merge 1 is not two tokens/],
];
for (const [what, given, message] of refused) {
  test(`refused by name: ${what}`, () => {
    assert.throws(() => ClipTokenizer.fromFiles(given, 'folder'), { name: 'UserError', kind: 'weights', message });
  });
}

test('a tokenizer.json of merges as text or as pairs', () => {
  const merges = vocabulary.merges.map((pair) => pair.join(' '));
  for (const form of [merges, vocabulary.merges]) {
    const own = ClipTokenizer.fromFiles({ 'tokenizer.json': whole({}, { merges: form }) }, 'folder');
    assert.deepEqual(own.encode("it's a red star").ids, tokenizer.encode("it's a red star").ids);
  }
});
