/** "Distill This Teacher" offers what a run of that teacher can use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { presets, presetText } from '../../backend/runs/presets.ts';
import { importWithVscode } from '../webview/vscode-stub.ts';

type Commands = typeof import('../../extension/commands/start-distillation.ts') & {
  vscode: typeof import('../webview/vscode-api.ts');
};
const { startDistillation, vscode } = await importWithVscode<Commands>('test/unit/extension/distill-teacher.ts');

interface Choice {
  readonly label: string;
  readonly kind?: number;
}

const scenes: ModelInfo = {
  ...{ model: 'builtin:scenes/teacher', title: 'Scenes, teacher', origin: 'builtin', role: 'teacher' },
  ...{ imageShape: [3, 32, 32], classes: ['a', 'b'], prompt: false, guidance: null, steps: 18, samplers: [] },
  ...{ sizeStep: null, bytes: 1, run: null, teacher: null, problem: '' },
};
const words: ModelInfo = { ...scenes, model: '/sd', title: 'SD', prompt: true, classes: [], imageShape: [3, 512, 512] };

/** Labels without their icons, by the separator above them. */
async function offered(teacher: ModelInfo | null, files: Record<string, string> = {}): Promise<Map<string, string[]>> {
  const uris = Object.keys(files).map((name) => vscode.Uri.file(`/somewhere/${name}`));
  vscode.answers.set('workspace.findFiles', () => uris);
  vscode.answers.set('workspace.asRelativePath', (uri: { path: string }) => uri.path);
  vscode.answers.set('workspace.fs.readFile', (uri: { path: string }) =>
    new TextEncoder().encode(files[uri.path.replace('/somewhere/', '')]),
  );
  let shown: Choice[] = [];
  vscode.answers.set('window.showQuickPick', async (items: Promise<Choice[]>) => {
    shown = await items;
  });
  const backend = {
    request: async () =>
      presets.map(({ teacher: meant = null, ...preset }) => {
        return { ...preset, teacher: meant, text: presetText(preset.kind, preset.name) };
      }),
  };
  await startDistillation({ backend } as never, teacher);
  const groups = new Map<string, string[]>();
  let group: string[] = [];
  for (const { label, kind } of shown) {
    if (kind === -1) {
      group = [];
      groups.set(label, group);
    } else group.push(label.replace(/^\$\([\w-]+\) /, ''));
  }
  return groups;
}

test('a teacher is offered the presets of its kind, those for its images first', async () => {
  const own = await offered(scenes);
  assert.ok(own.get('Presets')?.includes('Built-in model, a few minutes'));
  assert.ok(own.get('Presets')?.includes('CIFAR-10 by class'));
  assert.deepEqual(own.get('Presets for Teachers of Other Images'), [
    'CIFAR-10 without classes',
    'ImageNet-64',
    'ImageNet-64 by DMD2',
  ]);
  assert.doesNotMatch([...own.values()].flat().join(), /Stable Diffusion|text model|in the plane|teacher for/);

  const text = await offered(words);
  assert.deepEqual(text.get('Presets'), ['Stable Diffusion v1.5, guidance 3', 'Stable Diffusion v1.5, guidance 8']);
  assert.deepEqual(text.get('Presets for Teachers of Other Images'), [
    'Built-in text model',
    'Built-in text model by LCM',
  ]);
});

test('configs of the workspace that teach have no teacher to replace', async () => {
  const files = {
    'mine.dmd.json': '{ // a comment\n "kind": "distill" }',
    'teach.dmd.json': '{ "kind": "teach" }',
    'new.dmd.json': '{}',
  };
  const group = 'Configs of the Workspace';
  assert.deepEqual((await offered(scenes, files)).get(group), ['mine', 'new']);
  assert.deepEqual((await offered(null, files)).get(group), ['mine', 'new', 'teach']);
});

test('without a teacher every preset is offered', async () => {
  const all = await offered(null);
  assert.deepEqual(
    all.get('Presets'),
    presets.map(({ title }) => title),
  );
});
