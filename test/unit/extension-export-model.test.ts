/** The export command: a file for a network, a folder for a text-to-image model, and what can be done with the result. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import type { ModelInfo } from '../../backend/protocol/rpc/index.ts';
import type * as Command from '../../extension/commands/export-model.ts';
import type { Services } from '../../extension/services.ts';
import type * as Item from '../../extension/views/model-item.ts';
import { load } from './extension/load.ts';

const { exports, vscode } = await load<typeof Command & typeof Item>(
  ['commands/export-model', 'views/model-item'].map((file) => `export * from './extension/${file}.ts';`).join('\n'),
);
const { exportToOnnx, modelContext } = exports;

const network: ModelInfo = {
  ...{ model: '/runs/a/generator.safetensors', title: 'a, generator of step 9', origin: 'run', role: 'generator' },
  ...{ imageShape: [3, 32, 32], classes: [], prompt: false, guidance: null, steps: 1, bytes: 4e6 },
  ...{ samplers: [], sizeStep: null },
  ...{ run: '/runs/a', teacher: null, problem: '' },
};
const text: ModelInfo = {
  ...network,
  model: '/models/sd-v1.5',
  title: 'sd-v1.5',
  origin: 'imported',
  run: null,
  prompt: true,
};

let asked: Record<string, unknown>[];
let listed: string[];
const services = {
  backend: {
    async request(_: unknown, params: Record<string, unknown>) {
      asked.push(params);
      return { file: params.file, bytes: 4.2e6 };
    },
    onNotification: () => ({ dispose: () => {} }),
  },
  modelFiles: { add: async (file: string) => void listed.push(file) },
  roots: { forNewRun: () => '/home/me/runs' },
} as unknown as Services;

beforeEach(() => {
  vscode.calls.length = 0;
  vscode.answers.clear();
  [asked, listed] = [[], []];
});

/** What the save dialog was opened with. */
async function dialogOf(info: ModelInfo, chosen?: string) {
  if (chosen) vscode.answers.set('showSaveDialog', vscode.Uri.file(chosen));
  await exportToOnnx(info, services);
  const [, options] = vscode.calls.find(([name]) => name === 'showSaveDialog')!;
  return options as { title: string; defaultUri: { fsPath: string }; filters?: object };
}

test('a text-to-image model is asked a folder for, which has its name', async () => {
  const chosen = join('/home', 'me', 'sd-onnx');
  const { title, defaultUri, filters } = await dialogOf(text, chosen);
  assert.match(title, /sd-v1\.5 to a Folder/);
  assert.equal(defaultUri.fsPath, join('/home/me', 'sd-v1.5-onnx'));
  assert.equal(filters, undefined, 'nothing is appended to the name');
  assert.deepEqual(
    asked.map(({ model, file }) => [model, file]),
    [[text.model, chosen]],
  );
  assert.deepEqual(listed, [chosen]);
  const [, message] = vscode.calls.find(([name]) => name === 'showInformationMessage')!;
  assert.match(String(message), /Exported sd-onnx \(4\.2 MB\)/);
});

test('a network is asked a file for, in its run; without an answer nothing is done', async () => {
  const { title, defaultUri, filters } = await dialogOf(network);
  assert.match(title, /to ONNX$/);
  assert.equal(defaultUri.fsPath, join('/runs/a', 'generator.onnx'));
  assert.deepEqual(filters, { ONNX: ['onnx'] });
  assert.deepEqual([asked, listed], [[], []]);
});

test('what is ONNX already is not offered for it again', () => {
  assert.equal(modelContext(text), 'model.imported.generator');
  assert.equal(modelContext({ ...text, origin: 'exported' }), 'model.exported.generator.onnx');
  assert.equal(
    modelContext({ ...network, model: '/runs/a/x.onnx', origin: 'exported' }),
    'model.exported.generator.onnx',
  );
  assert.equal(modelContext({ ...text, origin: 'exported', problem: 'gone' }), 'model.exported.generator.onnx.problem');
});
