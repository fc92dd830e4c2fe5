/**
 * Host code of a panel beside a stand-in for `vscode`: bundles an entry of extension/ with it and imports the result. The
 * stand-in has what panels need of the editor's API; each test adds what it looks at.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param entry source file, relative to the repository */
export async function importWithVscode<M>(entry: string): Promise<M> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dmd-host-'));
  try {
    const outfile = path.join(folder, 'host.mjs');
    await build({
      entryPoints: [path.join(root, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'], // as scripts/lib/bundle.mjs has it
      logLevel: 'silent',
      alias: { vscode: path.join(root, 'test/webview/vscode-api.ts') },
    });
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
