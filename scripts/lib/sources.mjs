// Makes the JavaScript that test/sources.mjs runs, of every source at once: a file at a time it would cost each process a compiler.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keep, keptAt, transformation } from '../../test/source-hooks.mjs';
import { root } from './process.mjs';

const folders = ['backend', 'extension', 'webview', 'test'];

export async function prepareSources() {
  const names = await Promise.all(
    folders.map(async (folder) => {
      const inside = await readdir(join(root, folder), { recursive: true });
      return inside.filter((name) => name.endsWith('.ts')).map((name) => join(root, folder, name));
    }),
  );
  const lacking = names
    .flat()
    .map((path) => ({ path, file: keptAt(path) }))
    .filter(({ file }) => !existsSync(file));
  if (lacking.length === 0) return;
  const { transform } = await import('esbuild');
  await Promise.all(
    lacking.map(async ({ path, file }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { ...transformation, sourcefile: path });
      keep(file, code);
    }),
  );
}
