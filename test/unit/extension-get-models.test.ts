/** The commands that bring models: what they ask the person and the backend, in which order, and what comes of it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import type * as Protocol from '../../backend/protocol/errors.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/index.ts';
import type * as Commands from '../../extension/commands/register-models.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import type * as ModelFilesModule from '../../extension/model-files.ts';
import type { Services } from '../../extension/services.ts';
import { extensionContext, load } from './extension/load.ts';

type Parts = typeof Protocol & typeof ErrorsModule & typeof ModelFilesModule & typeof Commands;
const { exports, vscode } = await load<Parts>(
  ['backend/protocol/errors', 'extension/errors', 'extension/model-files', 'extension/commands/register-models']
    .map((file) => `export * from './${file}.ts';`)
    .join('\n'),
);
const { Errors, ModelFiles, UserError, registerModelCommands } = exports;

const folder = mkdtempSync(join(tmpdir(), 'dmd-get-models-'));
after(() => rmSync(folder, { recursive: true }));

const teacher: ModelInfo = {
  ...{ model: '/models/base', title: 'some-lab/base model', origin: 'imported', role: 'teacher', bytes: 4e9 },
  ...{ imageShape: [3, 512, 512], classes: [], prompt: true, guidance: 7.5, steps: 50, samplers: [], sizeStep: null },
  ...{ run: null, teacher: null, problem: '' },
};
const half = { variant: 'fp16', files: 10, bytes: 2.1e9, here: 0 };
const full = { variant: '', files: 12, bytes: 4.3e9, here: 1e9 };

type Answer = (params: never, tell: (label: string, done: number, total: number) => void) => unknown;
let answers: Record<string, Answer>;
let asked: [method: string, params: Record<string, unknown>][];
let modelFiles: InstanceType<typeof ModelFiles>;

beforeEach(() => {
  vscode.calls.length = 0;
  vscode.answers.clear();
  vscode.log.lines.length = 0;
  vscode.workspace.workspaceFolders = undefined;
  asked = [];
  const place = { host: 'huggingface.co', cache: '/home/me/.cache/huggingface/hub', free: 1e12, login: false };
  answers = { 'hub/place': () => place, 'models/list': () => [teacher], 'hub/plan': () => [full] };
  const handlers = new Set<(params: unknown) => void>();
  const backend = {
    async request({ method }: { method: string }, params: Record<string, unknown>) {
      asked.push([method, params]);
      const tell = (label: string, done: number, total: number) => {
        for (const handler of handlers) handler({ id: params.id, label, done, total });
      };
      return answers[method]!(params as never, tell);
    },
    onNotification(_: unknown, handler: (params: unknown) => void) {
      handlers.add(handler);
      return { dispose: () => handlers.delete(handler) };
    },
  };
  const context = extensionContext(vscode) as never;
  const errors = new Errors(vscode.log as never);
  modelFiles = new ModelFiles(context);
  const roots = { list: () => ['/w/runs'] };
  registerModelCommands(context, { backend, errors, modelFiles, roots, log: vscode.log } as unknown as Services);
});

const said = (name: string) => vscode.calls.filter(([each]) => each === name).map(([, ...args]) => args);
const call = (id: string) => vscode.registered.get(id)!();
const methods = () => asked.map(([method]) => method);
/** The quick picks answer in turn: the item whose label contains the text. */
function pick(...labels: string[]): void {
  vscode.answers.set('showQuickPick', async (items: Promise<{ label: string }[]>) => {
    const label = labels.shift();
    return label === undefined ? undefined : (await items).find((item) => item.label.includes(label));
  });
}
/** The message's answer is its own button. */
const agree = (button: string) =>
  vscode.answers.set('showInformationMessage', (_: string, ...rest: unknown[]) => rest.find((each) => each === button));

test('a download is asked for by name, sized, agreed to, fetched with progress, and listed', async () => {
  vscode.answers.set('showInputBox', ' some-lab/tiny ');
  agree('Download');
  answers['hub/plan'] = () => [full, half];
  pick('Half the size');
  answers['hub/download'] = (_, tell) => {
    tell('unet/model.safetensors', 1e9, 2.1e9);
    tell('unet/model.safetensors', 2.1e9, 2.1e9);
    return { folder: '/hub/tiny', bytes: 2.1e9 };
  };
  await call('dmd.downloadModel');
  assert.deepEqual(methods(), ['hub/place', 'hub/plan', 'hub/download']);
  const { id: _, ...wanted } = asked[2]![1];
  assert.deepEqual(wanted, { repository: 'some-lab/tiny', variant: 'fp16' });
  const [[question, options]] = said('showInformationMessage') as [[string, { modal: boolean; detail: string }]];
  assert.equal(question, 'Download some-lab/tiny from huggingface.co?');
  assert.equal(options.modal, true);
  assert.match(options.detail, /^10 files · 2\.1 GB\nThe files come from huggingface\.co .* go to \/home\/me/);
  const steps = said('report').map(([, step]) => step as { message: string; increment: number });
  assert.deepEqual(
    steps.map(({ message }) => message),
    ['1.0 GB of 2.1 GB, unet/model.safetensors', '2.1 GB of 2.1 GB, unet/model.safetensors'],
  );
  assert.equal(
    steps.reduce((sum, { increment }) => sum + increment, 0),
    100,
  );
  assert.deepEqual(modelFiles.paths(), ['/hub/tiny']);
  assert.deepEqual(said('executeCommand').at(-1), ['dmd.models.focus']);
  assert.deepEqual(said('showErrorMessage'), []);
});

test('what is typed is checked as it is typed, and the address of a page is understood', async () => {
  vscode.answers.set('showInputBox', 'https://huggingface.co/some-lab/tiny/tree/main?x=1');
  await call('dmd.downloadModel');
  assert.deepEqual(asked.at(-1), ['hub/plan', { repository: 'some-lab/tiny' }]);
  const [[input]] = said('showInputBox') as [[Record<string, unknown>]];
  assert.match(String(input.placeHolder), /stable-diffusion-v1-5\/stable-diffusion-v1-5/);
  assert.match(String(input.prompt), /huggingface\.co/);
  const validate = input.validateInput as (text: string) => string | undefined;
  for (const good of ['', 'a/b', ' a/b ', 'https://huggingface.co/a/b', 'https://hf.co/a/b/blob/main/x']) {
    assert.equal(validate(good), undefined, good);
  }
  for (const bad of ['a', 'a/b/c', '../a', 'a b/c', 'https://huggingface.co/a'])
    assert.match(validate(bad)!, /ORG/, bad);
});

test('nothing is fetched without a yes; a login, what is there and a full disk are said before', async () => {
  answers['hub/place'] = () => ({ host: 'mirror.example', cache: '/hub', free: 1e9, login: true });
  await call('dmd.downloadModel');
  assert.deepEqual(methods(), ['hub/place'], 'nothing was typed');
  vscode.answers.set('showInputBox', 'a/b');
  await call('dmd.downloadModel');
  assert.deepEqual(methods().slice(1), ['hub/place', 'hub/plan']);
  const [[question, { detail }]] = said('showInformationMessage') as [[string, { detail: string }]];
  assert.match(question, /from mirror\.example\?/);
  assert.match(detail, /1\.0 GB of it is here already/);
  assert.match(detail, /HF_TOKEN is sent along/);
  assert.match(detail, /Only 1\.0 GB are free/);
  answers['hub/plan'] = () => [full, half];
  await call('dmd.downloadModel');
  assert.equal(said('showInformationMessage').length, 1, 'no weights were chosen');
});

test('a stopped download is no error: the message says that it goes on, and goes on', async () => {
  vscode.answers.set('showInputBox', 'a/b');
  let times = 0;
  answers['hub/download'] = () => {
    times += 1;
    if (times === 1) throw new UserError('cancelled', 'cancelled');
    return { folder: '/hub/b', bytes: 1 };
  };
  vscode.answers.set('showInformationMessage', (_: string, ...rest: unknown[]) =>
    rest.find((each) => each === 'Download' || each === 'Resume'),
  );
  await call('dmd.downloadModel');
  while (said('executeCommand').length === 0) await new Promise(setImmediate);
  const messages = said('showInformationMessage').map(([message]) => message);
  assert.deepEqual(messages.slice(1), [
    'The download of a/b was stopped. It can be resumed where it was.',
    'Downloaded a/b (1 B).',
  ]);
  assert.deepEqual(methods().slice(-2), ['hub/download', 'hub/download']);
  assert.deepEqual(said('showErrorMessage'), []);
});

test("offline, the backend's own words are shown", async () => {
  vscode.answers.set('showInputBox', 'a/b');
  answers['hub/plan'] = () => {
    throw new UserError('io', 'the Hugging Face hub cannot be reached (ENOTFOUND)', 'Models here work without it.');
  };
  await call('dmd.downloadModel');
  const [[message]] = said('showErrorMessage') as [[string]];
  assert.match(message, /^Could not download the model: .*cannot be reached \(ENOTFOUND\)\. Models here work/);
});

test('a UNet is imported beside its base into the workspace, listed, and opened for generating', async () => {
  vscode.workspace.workspaceFolders = [{ uri: vscode.Uri.file(folder) }];
  mkdirSync(join(folder, 'models', 'base-model-one-step'), { recursive: true });
  const out = join(folder, 'models', 'base-model-one-step-2');
  vscode.answers.set('showOpenDialog', [vscode.Uri.file('/files/pytorch_model.bin')]);
  answers['models/list'] = () => [
    teacher,
    { ...teacher, origin: 'builtin', title: 'builtin' },
    { ...teacher, prompt: false, title: 'no prompt' },
    { ...teacher, role: 'generator', title: 'generator' },
    { ...teacher, problem: 'gone', title: 'damaged' },
  ];
  let offered: string[] = [];
  const labels = ['One-Step UNet', 'some-lab/base model', 'As Its Base', 'In the Workspace'];
  vscode.answers.set('showQuickPick', async (items: Promise<{ label: string }[]>) => {
    if (labels.length === 3) offered = (await items).map(({ label }) => label);
    return (await items).find(({ label }) => label.includes(labels[0]!) && labels.shift());
  });
  answers['models/importUNet'] = (_, tell) => {
    tell('reading', 0, 2);
    tell('writing', 1, 2);
    return { folder: out, parameters: 859_520_964 };
  };
  await call('dmd.importModel');
  assert.deepEqual(offered, ['$(mortar-board) some-lab/base model', '$(folder-opened) Browse...']);
  const { id: _, ...wanted } = asked.at(-1)![1];
  assert.deepEqual(wanted, { base: '/models/base', file: '/files/pytorch_model.bin', out });
  const stages = said('report').map(([, step]) => (step as { message: string }).message);
  assert.deepEqual(stages, ['Reading the weights', 'Writing the folder']);
  assert.deepEqual(modelFiles.paths(), [out]);
  assert.deepEqual(said('executeCommand').at(-1), ['dmd.openGeneratePanel', out]);
  assert.match(String(said('showInformationMessage')[0]![0]), /base-model-one-step-2, .* 859\.5 million/);
});

test('the base may be browsed for, has to be a text model, and the folder may be anywhere', async () => {
  pick('One-Step UNet', 'Browse', 'As Its Base', 'Elsewhere');
  const opened = ['/elsewhere/base', '/hub/models--a--b/snapshots/0/unet.bin'];
  vscode.answers.set('showOpenDialog', () => [vscode.Uri.file(opened.shift()!)]);
  vscode.answers.set('showSaveDialog', vscode.Uri.file('/new/one'));
  answers['models/describe'] = () => ({ ...teacher, model: '/elsewhere/base' });
  answers['models/importUNet'] = () => ({ folder: '/new/one', parameters: 1 });
  await call('dmd.importModel');
  const { id: _, ...wanted } = asked.at(-1)![1];
  const file = '/hub/models--a--b/snapshots/0/unet.bin';
  assert.deepEqual(wanted, { base: '/elsewhere/base', file, out: '/new/one' });

  for (const [change, words] of [
    [{ prompt: false }, /is no text-to-image model/],
    [{ problem: 'It has no unet.' }, /It has no unet/],
  ] as const) {
    pick('One-Step UNet', 'Browse');
    vscode.answers.set('showOpenDialog', [vscode.Uri.file('/elsewhere/base')]);
    answers['models/describe'] = () => ({ ...teacher, ...change });
    await call('dmd.importModel');
    assert.match(String(said('showErrorMessage').at(-1)![0]), words);
    assert.equal(methods().at(-1), 'models/describe');
  }
});

test('a generator that is called in its own way is imported so', async () => {
  vscode.answers.set('showOpenDialog', [vscode.Uri.file('/files/unet.bin')]);
  vscode.answers.set('showSaveDialog', vscode.Uri.file('/new/one'));
  vscode.answers.set('showInputBox', ' 399 ');
  pick('One-Step UNet', 'some-lab', 'Otherwise', 'sample', 'Elsewhere');
  answers['models/importUNet'] = () => ({ folder: '/new/one', parameters: 1 });
  await call('dmd.importModel');
  const { timestep, prediction } = asked.at(-1)![1];
  assert.deepEqual([timestep, prediction], [399, 'sample']);
  const [[{ validateInput }]] = said('showInputBox') as [[{ validateInput(text: string): string | undefined }]];
  assert.deepEqual(
    ['', '1.5', '-1', 'x', '0', ' 12 '].map((text) => validateInput(text) === undefined),
    [...[false, false, false, false], ...[true, true]],
  );
});

test('whoever changes their mind at any question imports nothing', async () => {
  for (const labels of [[], ['One-Step UNet'], ['One-Step UNet', 'some-lab'], ['A File'], ['A Folder']]) {
    pick(...labels);
    await call('dmd.importModel');
  }
  vscode.answers.set('showOpenDialog', [vscode.Uri.file('/files/unet.bin')]);
  pick('One-Step UNet', 'some-lab');
  await call('dmd.importModel');
  pick('One-Step UNet', 'some-lab', 'As Its Base', 'Elsewhere');
  await call('dmd.importModel');
  pick('One-Step UNet', 'some-lab', 'Otherwise');
  await call('dmd.importModel');
  vscode.answers.set('showInputBox', '399');
  pick('One-Step UNet', 'some-lab', 'Otherwise');
  await call('dmd.importModel');
  assert.ok(methods().every((method) => method === 'models/list'));
  assert.deepEqual(modelFiles.paths(), []);
  assert.deepEqual(said('showErrorMessage'), []);
});

test('a model that is there already is listed as it is', async () => {
  pick('A Folder');
  vscode.answers.set('showOpenDialog', [vscode.Uri.file('/models/base')]);
  answers['models/describe'] = () => teacher;
  await call('dmd.importModel');
  assert.deepEqual(asked, [['models/describe', { model: '/models/base' }]]);
  assert.deepEqual(modelFiles.paths(), ['/models/base']);
});
