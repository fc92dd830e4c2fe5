/** Activation costs next to nothing: what is loaded at once is small, and nothing is started, asked or read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { extensionContext, load } from './extension/load.ts';

interface Extension {
  activate(context: unknown): void;
  deactivate(): Promise<void>;
}

/** The files that run before `activate` does: those reached without a dynamic import. */
function loadedAtOnce({ inputs }: Metafile, entry: string): string[] {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { path, kind, external } of inputs[file]?.imports ?? []) {
      if (!external && kind !== 'dynamic-import') visit(path);
    }
  };
  visit(entry);
  return [...reached];
}

test('activation loads no schemas and starts no process, and everything it registers is disposed of', async () => {
  const { exports, vscode, metafile } = await load<Extension>("export * from './extension/extension.ts';");
  const files = loadedAtOnce(metafile, 'extension/extension.ts');
  assert.ok(files.includes('extension/views/runs-tree.ts'), 'the graph was walked');
  const heavy = files.filter((file) => /node_modules|backend\/protocol\/(rpc|config|panels)\//.test(file));
  assert.deepEqual(heavy, [], 'import these when they are first used');
  const context = extensionContext(vscode);
  exports.activate(context);
  assert.ok(context.subscriptions.length > vscode.registered.size);
  assert.deepEqual(vscode.log.lines, []);
  await exports.deactivate();
  for (const subscription of context.subscriptions) subscription.dispose();
  assert.equal(vscode.registered.size, 0);
});

test('the bundle is loaded and active within 50 ms', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-activation-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const { build } = await import(new URL('../../scripts/lib/bundle.mjs', import.meta.url).href);
  await build({ folder });
  await mkdir(join(folder, 'node_modules', 'vscode'), { recursive: true });
  const stub = fileURLToPath(new URL('./extension/vscode.cjs', import.meta.url));
  await copyFile(stub, join(folder, 'node_modules', 'vscode', 'index.js'));
  const script = `
    const { Uri } = require('vscode');
    const memory = { get: (_, otherwise) => otherwise, update() {}, keys: () => [] };
    const uri = Uri.file(process.cwd());
    const context = { subscriptions: [], extensionUri: uri, globalStorageUri: uri, workspaceState: memory, globalState: memory };
    const before = process.cpuUsage();
    require('./extension.cjs').activate(context);
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 1000);`;
  const milliseconds = () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
    assert.equal(stderr, '');
    return Number(stdout);
  };
  // Processor time, and the best of ten: what else the machine does is not the extension's doing.
  const best = Math.min(...Array.from({ length: 10 }, milliseconds));
  assert.ok(best > 1 && best < 50, `${best} ms`);
});
