/** Errors lead to where they can be mended; what is asked of a remote machine or of several folders is not guessed. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type * as Protocol from '../../backend/protocol/errors.ts';
import type * as AskFolder from '../../extension/ask-folder.ts';
import type * as RegisterBackend from '../../extension/backend/register.ts';
import type * as StartRun from '../../extension/config/start-run.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import type * as Mend from '../../extension/mend.ts';
import type * as Reveal from '../../extension/reveal.ts';
import { extensionContext, load } from './extension/load.ts';

const { exports, vscode } = await load<
  typeof ErrorsModule &
    typeof Protocol &
    typeof Mend &
    typeof Reveal &
    typeof AskFolder &
    typeof RegisterBackend &
    typeof StartRun
>(
  ['errors', 'mend', 'reveal', 'ask-folder', 'backend/register', 'config/start-run']
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
  errors.show(new exports.Mendable('usage', 'nothing runs here', '', [exports.manageTrust()]));
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
  const services = { backend, errors, roots: { forNewRun: () => '/w/runs' } };
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
  assert.equal(called('showInformationMessage').length, 1);
  assert.deepEqual(called('executeCommand'), [['dmd.restartBackend']]);
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
