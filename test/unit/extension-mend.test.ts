/** Errors lead to where they can be mended; what is asked of a remote machine or of several folders is not guessed. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as Protocol from '../../backend/protocol/errors.ts';
import type * as AskFolder from '../../extension/ask-folder.ts';
import type * as RegisterBackend from '../../extension/backend/register.ts';
import type * as NewConfig from '../../extension/config/new-config.ts';
import type * as StartRun from '../../extension/config/start-run.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import type * as Mend from '../../extension/mend.ts';
import type * as Trust from '../../extension/panels/trust.ts';
import type * as Reveal from '../../extension/reveal.ts';
import type * as Roots from '../../extension/run-roots.ts';
import { extensionContext, load } from './extension/load.ts';

const { exports, vscode } = await load<
  typeof ErrorsModule &
    typeof Protocol &
    typeof Mend &
    typeof NewConfig &
    typeof Reveal &
    typeof AskFolder &
    typeof RegisterBackend &
    typeof Roots &
    typeof StartRun &
    typeof Trust
>(
  [
    'errors',
    'mend',
    'reveal',
    'ask-folder',
    'run-roots',
    'panels/trust',
    'backend/register',
    'config/new-config',
    'config/start-run',
  ]
    .map((name) => `export * from './extension/${name}.ts';`)
    .concat("export * from './backend/protocol/errors.ts';")
    .join('\n'),
);
const { UserError } = exports;
const errors = new exports.Errors(vscode.log as never);

beforeEach(() => {
  vscode.calls.length = 0;
  vscode.answers.clear();
  vscode.env.remoteName = undefined;
  vscode.workspace.workspaceFolders = undefined;
});

const called = (name: string) => vscode.calls.filter(([one]) => one === name).map(([, ...args]) => args);
const settled = async () => {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
};

test('an error that names a setting opens it', async () => {
  vscode.answers.set('showErrorMessage', 'Open Settings');
  const hint = 'Name a Node 20.12 or newer in the setting dmd.nodePath, or leave it empty.';
  errors.show(new UserError('usage', 'no Node runs', hint));
  errors.show(new UserError('config', 'The setting dmd.images.folder: is empty', 'Correct the setting.'));
  await settled();
  const buttons = called('showErrorMessage').map(([, ...titles]) => titles);
  assert.deepEqual(buttons, [
    ['Open Settings', 'Show Log'],
    ['Open Settings', 'Show Log'],
  ]);
  assert.deepEqual(called('executeCommand'), [
    ['workbench.action.openSettings', 'dmd.nodePath'],
    ['workbench.action.openSettings', 'dmd.images.folder'],
  ]);
});

test('a file NAME.dmd.json is no setting', () => {
  errors.show(new UserError('config', 'a.dmd.json:3:1: what is this', ''));
  assert.deepEqual(called('showErrorMessage')[0]!.slice(1), ['Show Log']);
});

test('where trust is missing, it can be given', async () => {
  vscode.answers.set('showErrorMessage', 'Manage Trust');
  vscode.workspace.isTrusted = false;
  await errors.guard('', async () => exports.checkTrust());
  vscode.workspace.isTrusted = true;
  await settled();
  assert.deepEqual(called('executeCommand'), [['workbench.trust.manage']]);
});

test('an invalid config is said in one line with the way to its problems, not in twenty-four', async () => {
  const file = vscode.Uri.file('/w/a.dmd.json');
  const text = '{ "kind": "distill", "one": 1, "two": 2, "three": 3 }';
  const document = { uri: file, getText: () => text, isDirty: false, isUntitled: false };
  Object.assign(vscode.workspace, { openTextDocument: async () => document, asRelativePath: () => 'a.dmd.json' });
  const problem = { code: 'value', offset: 0, length: 1, message: 'x', severity: 'error', replacement: null };
  const backend = {
    async request({ method }: { method: string }) {
      if (method === 'config/check') return [...Array(6).fill(problem), { ...problem, severity: 'warning' }];
      throw new UserError('config', Array(24).fill('a.dmd.json:1:3: wrong').join('\n'), 'Correct the config.');
    },
  };
  const services = { backend, errors, roots: { askForNewRun: async () => '/w/runs' } };
  vscode.answers.set('showErrorMessage', 'Show Problems');
  await errors.guard('Could not start the run', () => exports.startRunFromFile(file as never, services as never));
  await settled();
  assert.deepEqual(called('showErrorMessage'), [
    [
      'Could not start the run: a.dmd.json has 6 problems. Correct it and start again; nothing was written.',
      'Show Problems',
      'Show Log',
    ],
  ]);
  assert.deepEqual(called('showTextDocument'), [[file]]);
  assert.deepEqual(called('executeCommand'), [['workbench.actions.view.problems']]);
});

test('a run that cannot be written is begun in a folder that the person chooses', async () => {
  const refused = new UserError(
    'io',
    'cannot create /w/runs/new: permission denied (EACCES)',
    'Choose another folder.',
  );
  const roots: string[] = [];
  const backend = {
    async request(_: unknown, { root }: { root: string }) {
      roots.push(root);
      if (root === '/w/runs') throw refused;
      return { folder: `${root}/new` };
    },
  };
  const remembered: string[] = [];
  const services = {
    ...{ backend, errors, runs: { watch: async () => [] } },
    roots: { remember: async (root: string) => void remembered.push(root) },
  };
  const begin = (root: string) => exports.beginRun({ title: '', text: '{}', file: '/w/a', root }, services as never);
  vscode.answers.set('showErrorMessage', 'Choose Folder…');
  vscode.answers.set('showOpenDialog', [vscode.Uri.file('/elsewhere')]);
  await errors.guard('Could not start the run', () => begin('/w/runs'));
  await settled();
  assert.deepEqual(called('showErrorMessage')[0]!.slice(1), ['Choose Folder…', 'Show Log']);
  assert.deepEqual([roots, remembered], [['/w/runs', '/elsewhere'], ['/elsewhere']]);
  assert.deepEqual(called('executeCommand'), [['dmd.openMonitor', '/elsewhere/new']]);
  // Another folder helps no run whose teacher cannot be read.
  Object.assign(backend, { request: () => Promise.reject(new UserError('io', 'cannot read /t.onnx', '')) });
  await assert.rejects(begin('/elsewhere'), (error) => exports.mendsOf(error).length === 0);
});

test('another Node is offered a restart, when a backend has been used at all', async () => {
  const backend = { isUsed: false };
  exports.registerBackend(extensionContext(vscode) as never, { log: vscode.log, errors } as never, backend as never);
  const change = (setting: string) =>
    vscode.configurationChanged.fire({ affectsConfiguration: (name) => name === setting });
  change('dmd.nodePath');
  backend.isUsed = true;
  change('dmd.notifications');
  assert.deepEqual(called('showInformationMessage'), []);
  vscode.answers.set('showInformationMessage', 'Restart Backend');
  change('dmd.nodePath');
  await settled();
  change('dmd.openvinoPath');
  await settled();
  assert.deepEqual(
    called('showInformationMessage').map(([said]) => /^The setting (\S+) takes/.exec(said as string)?.[1]),
    ['dmd.nodePath', 'dmd.openvinoPath'],
  );
  assert.deepEqual(called('executeCommand'), [['dmd.restartBackend'], ['dmd.restartBackend']]);
});

test('a file is shown by the file manager of this machine; of another one in the explorer, or by its path', async () => {
  await exports.revealFile('/runs/a');
  assert.deepEqual(called('executeCommand'), [['revealFileInOS', vscode.Uri.file('/runs/a')]]);
  vscode.calls.length = 0;
  vscode.env.remoteName = 'ssh-remote';
  vscode.answers.set('showInformationMessage', 'Copy Path');
  await exports.revealFile('/runs/a');
  await settled();
  assert.deepEqual(called('executeCommand'), []);
  assert.deepEqual(called('showInformationMessage'), [['/runs/a', 'Copy Path', 'Open in Terminal']]);
  assert.deepEqual(called('writeText'), [['/runs/a']]);
  vscode.calls.length = 0;
  Object.assign(vscode.workspace, { getWorkspaceFolder: () => ({}) });
  await exports.revealFile('/w/runs/a');
  assert.deepEqual(called('executeCommand'), [['revealInExplorer', vscode.Uri.file('/w/runs/a')]]);
});

test('nobody but the one that knows of other machines asks for the file manager', async () => {
  const extension = fileURLToPath(new URL('../../extension', import.meta.url));
  const asking: string[] = [];
  for (const name of await readdir(extension, { recursive: true })) {
    if (name.endsWith('.ts') && /revealFileInOS|openExternal/.test(await readFile(join(extension, name), 'utf8')))
      asking.push(name);
  }
  assert.deepEqual(asking, ['reveal.ts']);
});

test('of several folders the person is asked which, and of one is not', async () => {
  const folder = (path: string) => ({ uri: vscode.Uri.file(path), name: path });
  assert.equal(await exports.askFolder('where?'), undefined);
  vscode.workspace.workspaceFolders = [folder('/a')];
  assert.equal((await exports.askFolder('where?'))?.name, '/a');
  assert.deepEqual(called('showWorkspaceFolderPick'), []);
  const second = folder('/b');
  vscode.workspace.workspaceFolders = [folder('/a'), second];
  vscode.answers.set('showWorkspaceFolderPick', second);
  assert.equal((await exports.askFolder('where?'))?.name, '/b');
  vscode.answers.set('showWorkspaceFolderPick', undefined);
  await assert.rejects(exports.askFolder('where?'));
});

test('a new run goes where its config is; for one that is in none of several folders the person is asked', async () => {
  const folders = ['/a', '/b'].map((path) => ({ uri: vscode.Uri.file(path), name: path }));
  vscode.workspace.workspaceFolders = folders;
  vscode.workspace.settings['dmd.runFolders'] = ['runs'];
  const isIn = ({ fsPath }: { fsPath: string }) => folders.find(({ name }) => `${fsPath}/`.startsWith(`${name}/`));
  Object.assign(vscode.workspace, { getWorkspaceFolder: isIn });
  const roots = new exports.RunRoots(extensionContext(vscode) as never);
  const rootOf = (path?: string) => roots.askForNewRun(path === undefined ? path : (vscode.Uri.file(path) as never));
  assert.equal(await rootOf('/b/x.dmd.json'), '/b/runs');
  assert.deepEqual(called('showWorkspaceFolderPick'), []);
  vscode.answers.set('showWorkspaceFolderPick', folders[1]);
  for (const file of [undefined, '/elsewhere/x.dmd.json']) assert.equal(await rootOf(file), '/b/runs');
  assert.equal(called('showWorkspaceFolderPick').length, 2);
  vscode.answers.delete('showWorkspaceFolderPick');
  await assert.rejects(rootOf(), 'whoever picks none starts none');
});

test('a new config, and the built-in run, go into the folder that was picked', async () => {
  const folders = ['/a', '/b'].map((path) => ({ uri: vscode.Uri.file(path), name: path }));
  vscode.workspace.workspaceFolders = folders;
  vscode.answers.set('showWorkspaceFolderPick', folders[1]);
  vscode.answers.set('showQuickPick', async (presets: Promise<unknown[]>) => (await presets)[0]);
  const opened: string[] = [];
  Object.assign(vscode.workspace, {
    openTextDocument: async (uri: object) => ({ uri, number: opened.push(String(uri)) }),
    fs: { readDirectory: async () => [['own.dmd.json', 1]] },
  });
  const roots: string[] = [];
  const backend = {
    async request({ method }: { method: string }, { root }: { root: string }) {
      if (method === 'config/presets') return [{ title: '', kind: 'distill', detail: '', name: 'own', text: '{}' }];
      roots.push(root);
      return { folder: `${root}/new` };
    },
  };
  const services = {
    backend,
    errors,
    runs: { watch: async () => [] },
    roots: new exports.RunRoots(extensionContext(vscode) as never),
  };
  await exports.newRunConfig(services as never);
  assert.deepEqual(opened, ['untitled:///b/own-2.dmd.json']);
  await exports.startBuiltinRun(
    vscode.Uri.file(fileURLToPath(new URL('../..', import.meta.url))) as never,
    services as never,
  );
  assert.deepEqual(roots, ['/b/runs']);
});
