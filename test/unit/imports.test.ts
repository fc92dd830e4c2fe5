/**
 * Imports run one way (.dependency-cruiser.cjs). The first test holds the sources to it; the others plant one violation
 * of each rule in a small tree of their own, so that a rule that stops matching is noticed.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = await extractOptions(join(root, '.dependency-cruiser.cjs'));

async function violations(baseDir: string, folders: string[]): Promise<{ rule: string; from: string; to: string }[]> {
  const { output } = await cruise(folders, { ...options, baseDir });
  const { summary } = output as ICruiseResult;
  assert.ok(summary.totalCruised > 0, 'nothing was looked at');
  return summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}

test('the sources import one way, without cycles', async () => {
  assert.deepEqual(await violations(root, ['backend', 'extension', 'webview']), []);
});

/** Rule -> the importing file, what it imports. */
const planted: [rule: string, file: string, imported: string][] = [
  ['layer-protocol', 'backend/protocol/a.ts', '../random/leaf.ts'],
  ['layer-native', 'backend/native/a.ts', '../graph/leaf.ts'],
  ['layer-random', 'backend/random/a.ts', '../graph/leaf.ts'],
  ['layer-files', 'backend/files/a.ts', '../graph/leaf.ts'],
  ['layer-text', 'backend/text/a.ts', '../graph/leaf.ts'],
  ['layer-graph', 'backend/graph/a.ts', '../nets/leaf.ts'],
  ['layer-engine', 'backend/engine/a.ts', '../nets/leaf.ts'],
  ['layer-weights', 'backend/weights/a.ts', '../engine/leaf.ts'],
  ['layer-nets', 'backend/nets/a.ts', '../diffusion/leaf.ts'],
  ['layer-diffusion', 'backend/diffusion/a.ts', '../models/leaf.ts'],
  ['layer-data', 'backend/data/a.ts', '../engine/leaf.ts'],
  ['layer-metrics', 'backend/metrics/a.ts', '../models/leaf.ts'],
  ['layer-models', 'backend/models/a.ts', '../training/leaf.ts'],
  ['layer-sampling', 'backend/sampling/a.ts', '../training/leaf.ts'],
  ['layer-ranks', 'backend/ranks/a.ts', '../training/leaf.ts'],
  ['layer-training', 'backend/training/a.ts', '../methods/leaf.ts'],
  ['layer-health', 'backend/health/a.ts', '../methods/leaf.ts'],
  ['layer-methods', 'backend/methods/a.ts', '../runs/leaf.ts'],
  ['config-section', 'backend/methods/a/config.ts', '../../graph/leaf.ts'],
  ['layer-teach', 'backend/teach/a.ts', '../methods/leaf.ts'],
  ['layer-export', 'backend/export/a.ts', '../training/leaf.ts'],
  ['layer-evaluate', 'backend/evaluate/a.ts', '../runs/leaf.ts'],
  ['layer-debug', 'backend/debug/a.ts', '../methods/leaf.ts'],
  ['layer-runs', 'backend/runs/a.ts', '../cli/leaf.ts'],
  ['layer-adapter', 'backend/adapter/a.ts', '../cli/leaf.ts'],
  ['layer-server', 'backend/server/a.ts', '../cli/leaf.ts'],
  ['layer-cli', 'backend/cli/a.ts', '../../extension/leaf.ts'],
  ['known-folder', 'backend/elsewhere/a.ts', '../graph/leaf.ts'],
  ['extension-only-protocol', 'extension/a.ts', '../backend/graph/leaf.ts'],
  ['webview-only-protocol', 'webview/a.ts', '../extension/leaf.ts'],
  ['webview-no-node', 'webview/b.ts', 'node:fs'],
  ['toolkit-behind-factories', 'webview/monitor/a.ts', '@vscode/webview-ui-toolkit'],
  ['vscode-only-in-extension', 'backend/cli/b.ts', 'vscode'],
  ['runtimes-only-in-engine', 'backend/training/b.ts', 'onnxruntime-node'],
  ['runtimes-only-in-engine', 'backend/training/c.ts', '@tensorflow/tfjs-node-gpu'],
  ['no-dev-dependencies', 'backend/training/d.ts', 'esbuild'],
  ['no-unresolvable', 'backend/graph/b.ts', './missing.ts'],
  ['no-cycles', 'backend/nets/cycle-a.ts', './cycle-b.ts'],
];

const tree = await mkdtemp(join(tmpdir(), 'dmd-imports-'));
await plant(
  'package.json',
  JSON.stringify({
    dependencies: { 'onnxruntime-node': '1', '@vscode/webview-ui-toolkit': '1' },
    devDependencies: { esbuild: '1' },
  }),
);
for (const name of ['onnxruntime-node', 'esbuild', '@vscode/webview-ui-toolkit']) {
  await plant(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
  await plant(`node_modules/${name}/index.js`, 'exports.value = 1;');
}
const folders = ['random', 'graph', 'nets', 'engine', 'diffusion', 'models', 'training', 'methods', 'runs', 'cli'].map(
  (name) => `backend/${name}`,
);
for (const folder of [...folders, 'extension']) await plant(`${folder}/leaf.ts`, 'export const value = 1;');
for (const [, file, imported] of planted)
  await plant(file, `import { value } from '${imported}';\nexport const a = value;`);
await plant('backend/nets/cycle-b.ts', "import { a } from './cycle-a.ts';\nexport const value = () => a;");
await plant('backend/runs/allowed.ts', "import { value } from '../models/leaf.ts';\nexport const a = value;");
after(() => rm(tree, { recursive: true, force: true }));

async function plant(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
}

test('every rule finds the violation planted for it, and nothing else is reported', async () => {
  const found = await violations(tree, ['backend', 'extension', 'webview']);
  const listed = found.map(({ rule, from }) => `${rule}: ${from}`).sort();
  assert.deepEqual(listed, planted.map(([rule, file]) => `${rule}: ${file}`).sort());
});

test('every rule has a planted violation', () => {
  const rules = options.ruleSet?.forbidden?.map((rule) => rule.name) ?? [];
  assert.ok(rules.length > 0);
  assert.deepEqual([...new Set(planted.map(([rule]) => rule))].sort(), [...rules].sort());
});
