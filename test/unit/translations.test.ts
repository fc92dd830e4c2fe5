/** Every English text has its twin in every language: the same placeholders, links and code, and nothing besides. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

type Table = Readonly<Record<string, string>>;

interface TranslationScripts {
  readonly tables: readonly string[];
  languagesOf(table: string): Promise<string[]>;
  translationFile(table: string, language: string): string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const { tables, languagesOf, translationFile }: TranslationScripts = await import(
  new URL('../../scripts/lib/translations.mjs', import.meta.url).href
);
const read = async (file: string): Promise<Table> => JSON.parse(await readFile(join(root, file), 'utf8'));

/** Names that are the same in every language: of formulas, formats and products. */
const names =
  /^(?:[+−]Inf|NaN|MB|TensorBoard|DMD Workbench|GPU \{0\}|alpha|sigma|grad|x_t|(?:x − )?mu_(?:real|fake)(?: [−-] mu_fake)?|sigma [\d.]+|x − \{0\} grad)$/;

/** What a translation has to carry over, in any order: `{0}`, links to commands and pages, `code`. */
function carried(text: string): string[] {
  return [...new Set(text.match(/\{\d+\}|\((?:command|https?):[^)]*\)|`[^`]+`/g))].sort();
}

/** What is wrong with a table, one line each. */
function faults(english: Table, translated: Table): string[] {
  const missing = Object.keys(english).filter((key) => !Object.hasOwn(translated, key));
  const stale = Object.keys(translated).filter((key) => !Object.hasOwn(english, key));
  const both = Object.keys(english).filter((key) => Object.hasOwn(translated, key));
  return [
    ...missing.map((key) => `no twin of: ${key}`),
    ...stale.map((key) => `English has no longer: ${key}`),
    ...both.flatMap((key) => {
      const [from, to] = [english[key]!, translated[key]!];
      if (to.trim() === '') return [`empty: ${key}`];
      if (to === from && !names.test(from)) return [`still in English: ${key}`];
      const same = carried(from).join() === carried(to).join();
      return same ? [] : [`${key}: ${carried(from).join(' ')} became ${carried(to).join(' ')}`];
    }),
  ];
}

for (const table of tables) {
  const english = await read(table);
  const languages = await languagesOf(table);
  test(`${table} is there in Simplified Chinese`, () => assert.ok(languages.includes('zh-cn')));
  for (const language of languages) {
    const file = translationFile(table, language);
    test(`${file} has a twin of every text`, async () => {
      assert.deepEqual(faults(english, await read(file)), [], 'see docs/translation.md');
    });
  }
}

test('the manifest names no text that is not there, and leaves none unused', async () => {
  const manifest = await readFile(join(root, 'package.json'), 'utf8');
  const named = new Set([...manifest.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key!));
  assert.deepEqual([...named].sort(), Object.keys(await read('package.nls.json')).sort());
});

test('a fault of each kind is seen', () => {
  const english = { a: 'step {0} of {1}', b: '[Go](command:dmd.go)', c: 'use `x`', d: 'plain', e: 'sigma' };
  const good = { a: '{1}:{0}', b: '[走](command:dmd.go)', c: '用 `x`', d: '平', e: 'sigma' };
  assert.deepEqual(faults(english, good), []);
  const { d: _, ...short } = good;
  for (const [bad, message] of [
    [short, /^no twin of: d$/],
    [{ ...good, f: '多' }, /^English has no longer: f$/],
    [{ ...good, d: ' ' }, /^empty: d$/],
    [{ ...good, d: 'plain' }, /^still in English: d$/],
    [{ ...good, a: '第 {0} 步' }, /^a: \{0\} \{1\} became \{0\}$/],
    [{ ...good, b: '[走](command:dmd.stop)' }, /^b: /],
    [{ ...good, c: '用 x' }, /^c: /],
  ] as const) {
    const found = faults(english, bad);
    assert.equal(found.length, 1);
    assert.match(found[0]!, message);
  }
});
