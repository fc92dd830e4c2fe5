/** Activation costs next to nothing: what is loaded at once is small, and nothing is started, asked or read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
