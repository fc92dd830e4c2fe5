// What TypeScript is to Node: JavaScript, made by esbuild at its first use and kept in node_modules/.cache, where `npm test` puts all
// of it at once. A file that has changed since has another name there.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../node_modules/.cache/sources/', import.meta.url));

/** How esbuild makes it: line for line as far as stacks are concerned, and without what is there for types alone. */
export const transformation = {
  ...{ loader: 'ts', format: 'esm', target: 'node20.12', sourcemap: 'inline', sourcesContent: false },
  tsconfigRaw: { compilerOptions: { target: 'ES2022', verbatimModuleSyntax: true } },
};

/** Where the JavaScript of a source is kept, as the source is now. */
export function keptAt(path) {
  const { mtimeMs, size } = statSync(path);
  const key = JSON.stringify([path, mtimeMs, size, transformation]);
  return `${folder}${createHash('sha1').update(key).digest('hex')}.mjs`;
}

/** Written whole or not at all: another process or thread may need the same one. */
export function keep(file, code) {
  mkdirSync(folder, { recursive: true });
  const part = `${file}.${randomUUID()}`;
  writeFileSync(part, code);
  renameSync(part, file);
}

/** Node's hook. */
export function load(url, context, next) {
  if (!url.startsWith('file:') || !/\.m?ts(\?|$)/.test(url)) return next(url, context);
  return { format: 'module', source: javascript(fileURLToPath(url)), shortCircuit: true };
}

function javascript(path) {
  const file = keptAt(path);
  try {
    return readFileSync(file);
  } catch {
    const esbuild = createRequire(import.meta.url)('esbuild');
    const { code } = esbuild.transformSync(readFileSync(path, 'utf8'), { ...transformation, sourcefile: path });
    keep(file, code);
    return code;
  }
}
