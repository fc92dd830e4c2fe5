// The walkthrough's pictures in other languages: the same drawings with other words in them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './process.mjs';

const folder = 'media/walkthrough';

/** Words that stand alone in their element, as XML writes them; code has elements inside. */
const words = /(<(?:text|title)\b[^>]*>)([^<]+)(<)/g;

/** What the pictures say, for translators: text -> text. */
export async function pictureTexts() {
  const said = (await pictures()).flatMap(({ svg }) => [...svg.matchAll(words)].map(([, , text]) => text));
  return Object.fromEntries([...new Set(said)].sort().map((text) => [text, text]));
}

/** Path -> picture, in `media/walkthrough/LANGUAGE/`. @param table text -> translation; what is not in it stays */
export async function translatedPictures(language, table) {
  const made = (await pictures()).map(({ name, svg }) => [
    `${folder}/${language}/${name}`,
    svg.replace(words, (_, open, text, close) => `${open}${table[text] ?? text}${close}`),
  ]);
  return Object.fromEntries(made);
}

async function pictures() {
  const names = (await readdir(join(root, folder))).filter((name) => name.endsWith('.svg')).sort();
  return Promise.all(names.map(async (name) => ({ name, svg: await readFile(join(root, folder, name), 'utf8') })));
}
