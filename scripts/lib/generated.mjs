// The files that are derived from the sources and kept beside them, because the editor and readers want them as files.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configReference } from './config-reference.mjs';
import { editorSchema } from './config-schema.mjs';
import { messageBundle } from './messages.mjs';
import { root } from './process.mjs';
import { keptTranslations } from './translations.mjs';

/** Path from the root -> what belongs in it now. */
export async function generated() {
  const messages = await messageBundle();
  const manifest = JSON.parse(await readFile(join(root, 'package.nls.json'), 'utf8'));
  const translations = {
    ...(await keptTranslations('l10n/bundle.l10n.json', messages)),
    ...(await keptTranslations('package.nls.json', manifest)),
  };
  return {
    'media/schemas/config.schema.json': json(editorSchema()),
    'docs/configs.md': configReference(),
    'l10n/bundle.l10n.json': json(messages),
    ...Object.fromEntries(Object.entries(translations).map(([file, table]) => [file, json(table)])),
  };
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
