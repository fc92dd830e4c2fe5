// The files that are derived from the sources and kept beside them, because the editor and readers want them as files.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configReference } from './config-reference.mjs';
import { editorSchema, fill, schemaTexts } from './config-schema.mjs';
import { messageBundle } from './messages.mjs';
import { root } from './process.mjs';
import { keptTranslations } from './translations.mjs';

/** Path from the root -> what belongs in it now. */
export async function generated() {
  const english = { 'l10n/bundle.l10n.json': await messageBundle(), 'l10n/config.json': schemaTexts() };
  const manifest = JSON.parse(await readFile(join(root, 'package.nls.json'), 'utf8'));
  const translations = await Promise.all(
    Object.entries({ ...english, 'package.nls.json': manifest }).map(([table, texts]) =>
      keptTranslations(table, texts),
    ),
  );
  const twins = Object.assign({}, ...translations);
  const files = {
    ...english,
    ...twins,
    'media/schemas/config.schema.json': editorSchema(),
    'media/schemas/config.schema.zh-cn.json': editorSchema(saying(twins['l10n/config.zh-cn.json'])),
  };
  const made = Object.entries(files).map(([file, content]) => [file, `${JSON.stringify(content, null, 2)}\n`]);
  return { ...Object.fromEntries(made), 'docs/configs.md': configReference() };
}

/** What is not in the table stays English; a test names it. */
function saying(table) {
  return (text, ...values) => fill(table[text] ?? text, ...values);
}
