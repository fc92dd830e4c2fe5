/** "DMD: Copy Python Recorder...": where the file goes, and that nothing of the person's is lost. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type * as Commands from '../../extension/commands/register-runs.ts';
import type * as ErrorsModule from '../../extension/errors.ts';
import { extensionContext, load } from './extension/load.ts';

const { exports, vscode } = await load<typeof Commands & typeof ErrorsModule>(
  "export * from './extension/commands/register-runs.ts'; export * from './extension/errors.ts';",
);
const recorder = readFileSync(fileURLToPath(new URL('../../media/python/dmd_record.py', import.meta.url)), 'utf8');
const window = (vscode as unknown as { window: { activeTextEditor?: unknown } }).window;

let folder: string;
let target: string;
const folders: string[] = [];
after(() => {
  for (const each of folders) rmSync(each, { recursive: true });
});

beforeEach(() => {
  vscode.calls.length = 0;
  vscode.answers.clear();
  window.activeTextEditor = undefined;
  folder = mkdtempSync(join(tmpdir(), 'dmd-recorder-'));
  folders.push(folder);
  target = join(folder, 'dmd_record.py');
  const errors = new exports.Errors(vscode.log as never);
  exports.registerRunCommands(
    extensionContext(vscode) as never,
    { errors, runs: { onDidChange: () => ({ dispose() {} }) } } as never,
  );
});

const said = (name: string) => vscode.calls.filter(([each]) => each === name);
const copy = () => vscode.registered.get('dmd.copyPythonRecorder')!();
const shown = () => said('showTextDocument').map(([, uri]) => (uri as { fsPath: string }).fsPath);
const edit = (file: string, languageId: string) => {
  window.activeTextEditor = { document: { uri: vscode.Uri.file(file), languageId, isUntitled: false } };
};
const pickFolder = () => vscode.answers.set('showOpenDialog', [vscode.Uri.file(folder)]);

test('a folder is asked for, the file is copied into it whole, and shown', async () => {
  pickFolder();
  await copy();
  assert.equal(readFileSync(target, 'utf8'), recorder);
  assert.deepEqual(readdirSync(folder), ['dmd_record.py'], 'no debris');
  assert.deepEqual(shown(), [target]);
  assert.equal(said('showQuickPick').length, 0);
});

test('beside the Python file in the editor, when that is chosen; any other folder too', async () => {
  const trainer = join(folder, 'models', 'train.py');
  mkdirSync(join(folder, 'models'));
  edit(trainer, 'python');
  vscode.answers.set('showQuickPick', ([here]: { label: string; detail: string }[]) => {
    assert.deepEqual([here!.label, here!.detail], ['Beside train.py', join(folder, 'models')]);
    return here;
  });
  await copy();
  assert.equal(readFileSync(join(folder, 'models', 'dmd_record.py'), 'utf8'), recorder);
  assert.equal(said('showOpenDialog').length, 0);
  vscode.answers.set('showQuickPick', ([, elsewhere]: unknown[]) => elsewhere);
  pickFolder();
  await copy();
  assert.equal(readFileSync(target, 'utf8'), recorder);
});

test('beside a file of another language nothing is offered', async () => {
  edit(join(folder, 'notes.md'), 'markdown');
  pickFolder();
  await copy();
  assert.equal(said('showQuickPick').length, 0);
  assert.deepEqual(shown(), [target]);
});

test('whoever answers nothing gets nothing', async () => {
  await copy();
  edit(join(folder, 'train.py'), 'python');
  await copy();
  assert.deepEqual([readdirSync(folder), shown(), said('showErrorMessage')], [[], [], []]);
});

test('another file of that name stays until the person says Replace; the same one is only shown', async () => {
  writeFileSync(target, 'mine = 1\n');
  pickFolder();
  await copy();
  assert.equal(readFileSync(target, 'utf8'), 'mine = 1\n');
  const [[, message, options, button]] = said('showWarningMessage') as [[string, string, { modal: boolean }, string]];
  assert.ok(message.includes(target) && options.modal && button === 'Replace');
  assert.deepEqual(shown(), []);
  vscode.answers.set('showWarningMessage', 'Replace');
  await copy();
  assert.equal(readFileSync(target, 'utf8'), recorder);
  await copy();
  assert.equal(said('showWarningMessage').length, 2, 'nothing to ask about its own copy');
  assert.deepEqual(shown(), [target, target]);
});

test('a folder that is gone is said with its path', async () => {
  pickFolder();
  rmSync(folder, { recursive: true });
  await copy();
  mkdirSync(folder);
  const [[, message]] = said('showErrorMessage') as [[string, string]];
  assert.ok(message.includes(target) && message.includes('Choose another place'), message);
});

test('a link or a folder of that name is left alone, in words', async () => {
  vscode.answers.set('showWarningMessage', 'Replace');
  pickFolder();
  const other = join(folder, 'other.py');
  writeFileSync(other, 'other = 1\n');
  symlinkSync(other, target);
  await copy();
  assert.equal(readFileSync(other, 'utf8'), 'other = 1\n');
  rmSync(target);
  mkdirSync(target);
  await copy();
  const errors = said('showErrorMessage').map(([, message]) => String(message));
  assert.equal(errors.length, 2);
  for (const error of errors) assert.ok(error.includes(target), error);
  assert.deepEqual(shown(), []);
});
