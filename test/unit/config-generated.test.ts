/** What is made from the sources is current, explains every key, and refuses nothing that the extension marks. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { configJsonSchema, configKinds } from '../../backend/protocol/config/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const load = (file: string) => import(new URL(`../../scripts/lib/${file}`, import.meta.url).href);
const { generated }: { generated(): Promise<Record<string, string>> } = await load('generated.mjs');
const files = await generated();

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema | Schema[];
  readonly anyOf?: Schema[];
  readonly enum?: string[];
  readonly enumDescriptions?: string[];
  readonly markdownEnumDescriptions?: string[];
  readonly unit?: string;
  readonly additionalProperties?: boolean;
  readonly required?: string[];
  readonly definitions?: Record<string, Schema>;
}

for (const file of Object.keys(files)) {
  test(`${file} is what npm run generate makes`, async () => {
    assert.equal(await readFile(join(root, file), 'utf8'), files[file], 'run npm run generate');
  });
}

/** Every key with its path; lists' elements are called [i]. */
function* keysOf(schema: Schema, path: string): Generator<[string, Schema]> {
  if (path !== '') yield [path, schema];
  for (const [key, value] of Object.entries(schema.properties ?? {}))
    yield* keysOf(value, path ? `${path}.${key}` : key);
  const items = schema.items === undefined ? [] : [schema.items].flat();
  for (const [i, item] of items.entries()) yield* keysOf(item, `${path}[${i}]`);
}

test('every choice says what each word means, and every count what it counts', () => {
  for (const kind of configKinds) {
    for (const [path, { enum: words, enumDescriptions, type, unit }] of keysOf(configJsonSchema(kind) as Schema, '')) {
      if (words) assert.equal(enumDescriptions?.filter(Boolean).length, words.length, path);
      const iteration = path.endsWith('[0]') && path.startsWith('schedules.');
      if (type === 'integer' && !iteration) assert.equal(typeof unit, 'string', `${path} has no unit`);
      if (type === 'integer' && !/seed$/.test(path) && !iteration) assert.notEqual(unit, '', path);
    }
  }
});

const editor: Schema = JSON.parse(files['media/schemas/config.schema.json']!);

test("the editor's schema knows every key, explains it and suggests its default", () => {
  for (const kind of configKinds) {
    const demands = new Map(keysOf(configJsonSchema(kind) as Schema, ''));
    const helps = new Map(keysOf(editor.definitions![kind]!, ''));
    for (const [path, demanded] of demands) {
      if (path === 'kind' || path.includes('[')) continue;
      const help = helps.get(path);
      assert.ok(help, `${kind}: ${path} is missing`);
      assert.ok(help.markdownDescription?.includes(demanded.description!), path);
      for (const word of demanded.enum ?? []) assert.ok(help.markdownDescription!.includes(`\`${word}\`: `), path);
    }
  }
});

test("the editor's schema refuses nothing: mistakes are marked once, by the extension", () => {
  for (const [path, schema] of Object.values(editor.definitions!).flatMap((schema) => [...keysOf(schema, '')])) {
    assert.equal(schema.additionalProperties, undefined, path);
    assert.equal(schema.required, undefined, path);
    assert.equal(schema.type, undefined, path);
    assert.equal(schema.enum, undefined, path);
    if (!schema.properties) assert.deepEqual(schema.anyOf?.at(-1), {}, path);
  }
});

test('the reference has a row for every key', () => {
  const text = files['docs/configs.md']!;
  for (const kind of configKinds) {
    const chapter = text.split(`## kind: "${kind}"`)[1]!.split('\n## ')[0]!;
    for (const [path, { properties }] of keysOf(configJsonSchema(kind) as Schema, '')) {
      if (['kind', '$schema'].includes(path) || path.includes('[')) continue;
      const key = path.split('.').at(-1)!;
      assert.ok(chapter.includes(properties ? `### ${path}\n` : `| \`${key}\` | `), `${kind}: ${path}`);
    }
  }
});

test('messages are collected from literals, and one that is put together is refused', async () => {
  const { messageBundle, messagesOf } = await load('messages.mjs');
  const folder = await mkdtemp(join(tmpdir(), 'dmd-messages-'));
  try {
    await mkdir(join(folder, 'b'));
    await writeFile(join(folder, 'a.ts'), "vscode.l10n.t('Zeta {0}', name); other.t('No'); t('No');");
    await writeFile(
      join(folder, 'b', 'c.ts'),
      'import { l10n } from "vscode"; l10n.t(`Alpha`); l10n.t("Zeta {0}", 2);',
    );
    await writeFile(join(folder, 'd.ts'), "const { t } = vscode.l10n; const all = { title: t('Beta') };");
    assert.deepEqual(Object.entries(await messageBundle(folder)), [
      ['Alpha', 'Alpha'],
      ['Beta', 'Beta'],
      ['Zeta {0}', 'Zeta {0}'],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
  for (const source of [
    '\nl10n.t(many ? `a` : `b`)',
    "\nvscode.l10n.t('a' + b)",
    '\nconst { t } = l10n; t(a)',
    '\nvscode.l10n.t()',
  ]) {
    assert.throws(() => messagesOf(source, 'x.ts'), { message: /^x\.ts:2: l10n\.t takes a plain string/ });
  }
});
