// The files that are derived from the sources and kept beside them, because the editor and readers want them as files.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configReference } from './config-reference.mjs';
import { editorSchema, fill, schemaTexts } from './config-schema.mjs';
import { messageBundle } from './messages.mjs';
import { root } from './process.mjs';
import { keptTranslations, translationFile } from './translations.mjs';
import { pictureTexts, translatedPictures } from './walkthrough-pictures.mjs';

/** The languages beside English whose schemas and pictures package.nls.LANGUAGE.json names. */
const languages = ['zh-cn'];

/** Path from the root -> what belongs in it now. */
export async function generated() {
  const english = {
    'l10n/bundle.l10n.json': await messageBundle(),
    'l10n/config.json': schemaTexts(),
    'l10n/walkthrough.json': await pictureTexts(),
  };
  const manifest = JSON.parse(await readFile(join(root, 'package.nls.json'), 'utf8'));
  const kept = Object.entries({ ...english, 'package.nls.json': manifest }).map(([table, texts]) =>
    keptTranslations(table, texts),
  );
  const twins = Object.assign({}, ...(await Promise.all(kept)));
  const schemas = Object.fromEntries(
    languages.map((language) => [
      `media/schemas/config.schema.${language}.json`,
      editorSchema(saying(twins[translationFile('l10n/config.json', language)])),
    ]),
  );
  const pictures = languages.map((language) =>
    translatedPictures(language, twins[translationFile('l10n/walkthrough.json', language)]),
  );
  const tables = { ...english, ...twins, 'media/schemas/config.schema.json': editorSchema(), ...schemas };
  return {
    ...Object.fromEntries(Object.entries(tables).map(([file, table]) => [file, `${JSON.stringify(table, null, 2)}\n`])),
    ...Object.assign({}, ...(await Promise.all(pictures))),
    'docs/configs.md': configReference(),
  };
}

/** What is not in the table stays English; a test names it. */
function saying(table) {
  return (text, ...values) => fill(table[text] ?? text, ...values);
}
