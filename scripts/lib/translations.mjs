// The tables of other languages, kept in the order of the English ones and without what those no longer have.
//
// What is missing in them is for a person to write: test/unit/translations.test.ts names it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './process.mjs';

/** An English table and those made from it: `bundle.l10n.json` has `bundle.l10n.LANGUAGE.json` beside it. */
export const tables = ['l10n/bundle.l10n.json', 'l10n/config.json', 'l10n/walkthrough.json', 'package.nls.json'];

/** The languages of a table, e.g. `['zh-cn']`. */
export async function languagesOf(table, folder = root) {
  const { parent, stem } = parts(table);
  const names = await readdir(join(folder, parent));
  return names
    .flatMap((name) => (name.startsWith(`${stem}.`) && name.endsWith('.json') ? [name.slice(stem.length + 1, -5)] : []))
    .filter((language) => /^[a-z]{2,3}(-[a-z]+)?$/.test(language))
    .sort();
}

/** `l10n/bundle.l10n.zh-cn.json` */
export function translationFile(table, language) {
  const { parent, stem } = parts(table);
  return `${parent}${stem}.${language}.json`;
}

/** Path -> what it says now of what is still there, by the keys of `english` and in their order. */
export async function keptTranslations(table, english, folder = root) {
  const languages = await languagesOf(table, folder);
  const kept = languages.map(async (language) => {
    const file = translationFile(table, language);
    const said = JSON.parse(await readFile(join(folder, file), 'utf8'));
    return [file, Object.fromEntries(Object.keys(english).flatMap((key) => (key in said ? [[key, said[key]]] : [])))];
  });
  return Object.fromEntries(await Promise.all(kept));
}

function parts(table) {
  const [, parent, stem] = /^(.*\/)?([^/]+)\.json$/.exec(table);
  return { parent: parent ?? '', stem };
}
